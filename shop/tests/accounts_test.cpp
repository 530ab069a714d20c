// Accounts below the web: passwords, links, limits, what belongs to whom.
#include "accounts/accounts.h"

#include <argon2.h>
#include <gmock/gmock.h>

#include <future>

#include "accounts/book.h"
#include "accounts/password.h"
#include "accounts/privacy.h"
#include "core/error.h"
#include "world.h"

namespace shop {
namespace {

using accounts::Account;
using accounts::Role;
using core::Refusal;
using ::testing::HasSubstr;
using ::testing::Not;

class Letters final : public accounts::Mailbox {
 public:
  void put(db::Connection&, const accounts::Letter& letter) override { letters.push_back(letter); }
  // The token of the last letter's link.
  std::string token() const {
    const auto& words = letters.back().words;
    const auto at = words.find("?ma=");
    return at == words.npos ? "" : words.substr(at + 4, 64);
  }
  std::vector<accounts::Letter> letters;
};

std::string code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Refusal& refusal) {
    return refusal.code();
  }
  return "";
}

class AccountsTest : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    if (IsSkipped()) return;
    db::migrate(*database);
    all = std::make_unique<accounts::Accounts>(*database, clock, letters, "https://shop.example");
  }
  void TearDown() override {
    all.reset();
    World::TearDown();
  }
  Account customer(const std::string& email, const std::string& password = "a long password") {
    all->ask_sign_up({email, "Nguyễn Thị Mai", password}, "10.0.0.1");
    return all->confirm_sign_up(letters.token(), password, "10.0.0.1");
  }

  Letters letters;
  std::unique_ptr<accounts::Accounts> all;
};
INSTANTIATE_TEST_SUITE_P(Both, AccountsTest, ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres),
                         engine_name);

TEST_P(AccountsTest, SigningUpMakesAnAccountOnlyWithTheLetterAndThePassword) {
  all->ask_sign_up({" Mai@Example.COM", "Mai", "a long password"}, "10.0.0.1");
  ASSERT_EQ(letters.letters.size(), 1U);
  EXPECT_EQ(letters.letters[0].to, "mai@example.com");
  EXPECT_THAT(letters.letters[0].words, HasSubstr("https://shop.example/xac-nhan?ma="));
  EXPECT_FALSE(all->find_by_email("mai@example.com"));
  const auto token = letters.token();
  EXPECT_EQ(code_of([&] { all->confirm_sign_up(token, "another password", "10.0.0.1"); }), "wrong_password");
  EXPECT_EQ(code_of([&] { all->confirm_sign_up("x" + token, "a long password", "10.0.0.1"); }),
            "link_is_old");
  const auto account = all->confirm_sign_up(token, "a long password", "10.0.0.1");
  EXPECT_EQ(account.email, "mai@example.com");
  EXPECT_EQ(account.role, Role::kCustomer);
  EXPECT_EQ(code_of([&] { all->confirm_sign_up(token, "a long password", "10.0.0.1"); }), "link_is_old");
}

TEST_P(AccountsTest, ALinkIsOldAfterADay) {
  all->ask_sign_up({"mai@example.com", "Mai", "a long password"}, "10.0.0.1");
  clock.time += std::chrono::hours(24);
  EXPECT_EQ(code_of([&] { all->confirm_sign_up(letters.token(), "a long password", "10.0.0.1"); }),
            "link_is_old");
}

TEST_P(AccountsTest, WhoeverHasAnAccountIsToldSoByLetterAlone) {
  customer("mai@example.com");
  all->ask_sign_up({"mai@example.com", "Kẻ lạ", "another password"}, "10.0.0.2");
  EXPECT_THAT(letters.letters.back().words, HasSubstr("/mat-khau-moi?ma="));
  EXPECT_EQ(code_of([&] { all->sign_in("mai@example.com", "another password", "10.0.0.2"); }),
            "wrong_email_or_password");
  const auto before = letters.letters.size();
  all->ask_reset("nobody@example.com", "10.0.0.2");
  EXPECT_EQ(letters.letters.size(), before);
}

TEST_P(AccountsTest, AResetWorksOnceAndTheNewestAlone) {
  const auto account = customer("mai@example.com");
  all->ask_reset("mai@example.com", "10.0.0.1");
  const auto first = letters.token();
  all->ask_reset("MAI@example.com", "10.0.0.1");
  const auto second = letters.token();
  EXPECT_FALSE(all->is_reset(first));
  EXPECT_TRUE(all->is_reset(second));
  EXPECT_EQ(code_of([&] { all->reset(second, "short"); }), "password_too_short");
  EXPECT_EQ(all->reset(second, "a newer password").id, account.id);
  EXPECT_EQ(code_of([&] { all->reset(second, "a third password"); }), "link_is_old");
  EXPECT_EQ(all->sign_in("mai@example.com", "a newer password", "10.0.0.1").id, account.id);
  EXPECT_EQ(code_of([&] { all->sign_in("mai@example.com", "a long password", "10.0.0.1"); }),
            "wrong_email_or_password");
  // The sign-up and two resets were this mailbox's three letters of the hour.
  EXPECT_EQ(code_of([&] { all->ask_reset("mai@example.com", "10.0.0.1"); }), "too_many_tries");
}

TEST_P(AccountsTest, AResetIsOldAfterHalfAnHour) {
  customer("mai@example.com");
  all->ask_reset("mai@example.com", "10.0.0.1");
  clock.time += std::chrono::minutes(30);
  EXPECT_EQ(code_of([&] { all->reset(letters.token(), "a newer password"); }), "link_is_old");
}

TEST_P(AccountsTest, TriesAreLimitedByAccountAndByAddress) {
  customer("mai@example.com");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(
        code_of([&] { all->sign_in("mai@example.com", "wrong password", "10.0.1." + std::to_string(i)); }),
        "wrong_email_or_password");
  }
  EXPECT_EQ(code_of([&] { all->sign_in("mai@example.com", "a long password", "10.0.2.1"); }),
            "too_many_tries");
  clock.time += std::chrono::minutes(15);
  EXPECT_EQ(code_of([&] { all->sign_in("mai@example.com", "a long password", "10.0.2.1"); }), "");
  // A right password gives the account its tries back; the machine keeps counting.
  accounts::Limits limits(*database, clock);
  const accounts::Limit few{"few", 3, std::chrono::minutes(1)};
  for (int i = 0; i < 3; ++i) limits.count(few, "10.0.0.9");
  EXPECT_EQ(code_of([&] { limits.count(few, "10.0.0.9"); }), "too_many_tries");
  EXPECT_EQ(code_of([&] { limits.count(few, "10.0.0.8"); }), "");
  clock.time += std::chrono::hours(25);
  EXPECT_GE(limits.sweep(), 2U);
}

TEST_P(AccountsTest, ManyTriesAtOnceAreAllCounted) {
  const accounts::Limit limit{"burst", 20, std::chrono::minutes(1)};
  std::vector<std::future<int>> workers;
  for (int i = 0; i < 4; ++i) {
    workers.push_back(std::async(std::launch::async, [&] {
      accounts::Limits limits(*database, clock);
      int passed = 0;
      for (int n = 0; n < 10; ++n) passed += code_of([&] { limits.count(limit, "x"); }).empty() ? 1 : 0;
      return passed;
    }));
  }
  int passed = 0;
  for (auto& worker : workers) passed += worker.get();
  EXPECT_EQ(passed, 20);
}

TEST_P(AccountsTest, AnAddressOfSomebodyElsesIsNotFound) {
  const auto mai = customer("mai@example.com");
  const auto lan = customer("lan@example.com");
  accounts::Book book(*database, clock);
  const accounts::Address home{0,        "Mai",      "+84 912 345 678", "Hồ Chí Minh",
                               "Quận 1", "Bến Nghé", "12 Đồng Khởi"};
  const auto id = book.save(mai.id, home);
  EXPECT_EQ(book.address(mai.id, id).phone, "0912345678");
  EXPECT_EQ(code_of([&] { book.address(lan.id, id); }), "page_not_found");
  auto moved = book.address(mai.id, id);
  moved.street = "1 Lê Lợi";
  EXPECT_EQ(code_of([&] { book.save(lan.id, moved); }), "page_not_found");
  EXPECT_EQ(code_of([&] { book.remove_address(lan.id, id); }), "page_not_found");
  EXPECT_EQ(book.addresses(mai.id).size(), 1U);
  for (std::size_t i = 1; i < accounts::kMostAddresses; ++i) book.save(mai.id, home);
  EXPECT_EQ(code_of([&] { book.save(mai.id, home); }), "too_many_addresses");
}

TEST_P(AccountsTest, ForgettingKeepsNothingThatTellsWhoItWas) {
  stock();
  const auto mai = customer("mai@example.com");
  accounts::Book book(*database, clock);
  book.save(mai.id, {0, "Mai Bí Mật", "0912345678", "Huế", "Phú Vang", "Thuận An", "5 Biển"});
  book.wish(mai.id, 1);
  book.wish(mai.id, 1);
  EXPECT_EQ(book.wishes(mai.id).size(), 1U);
  accounts::Privacy privacy(*database, clock);
  const auto told = privacy.export_json(mai);
  EXPECT_THAT(told, HasSubstr("Mai Bí Mật"));
  EXPECT_THAT(told, HasSubstr("mai@example.com"));
  EXPECT_THAT(told, Not(HasSubstr("argon2")));
  privacy.forget(mai);
  EXPECT_FALSE(all->find(mai.id));
  EXPECT_EQ(code_of([&] { all->sign_in("mai@example.com", "a long password", "10.0.0.1"); }),
            "wrong_email_or_password");
  EXPECT_TRUE(book.addresses(mai.id).empty());
  EXPECT_TRUE(book.wishes(mai.id).empty());
  EXPECT_EQ(customer("mai@example.com").email, "mai@example.com");  // may come again, as somebody new
}

TEST_P(AccountsTest, TheLastAdministratorStays) {
  const auto first = all->add_staff("boss@example.com", "Bà Chủ", Role::kAdministrator, "a long password");
  EXPECT_EQ(code_of([&] { all->set_role(first.id, Role::kManager); }), "last_administrator");
  const auto second = all->add_staff("other@example.com", "Ông Chủ", Role::kAdministrator, "a long password");
  all->set_role(first.id, Role::kManager);
  EXPECT_EQ(all->find(first.id)->role, Role::kManager);
  EXPECT_EQ(code_of([&] { all->set_role(second.id, Role::kCustomer); }), "last_administrator");
  accounts::Privacy privacy(*database, clock);
  EXPECT_EQ(code_of([&] { privacy.forget(*all->find(second.id)); }), "staff_is_kept");
}

// From the reference implementation's own tests and RFC 9106, 5.3.
TEST(Argon2, GivesTheReferenceTags) {
  char encoded[128];
  ASSERT_EQ(argon2id_hash_encoded(2, 65536, 1, "password", 8, "somesalt", 8, 32, encoded, sizeof encoded),
            ARGON2_OK);
  EXPECT_STREQ(encoded,
               "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
  std::string tag(32, '\0'), password(32, 1), salt(16, 2), secret(8, 3), data(12, 4);
  const auto bytes = [](std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); };
  argon2_context context{bytes(tag),
                         32,
                         bytes(password),
                         32,
                         bytes(salt),
                         16,
                         bytes(secret),
                         8,
                         bytes(data),
                         12,
                         3,
                         32,
                         4,
                         4,
                         ARGON2_VERSION_13,
                         nullptr,
                         nullptr,
                         ARGON2_DEFAULT_FLAGS};
  ASSERT_EQ(argon2id_ctx(&context), ARGON2_OK);
  EXPECT_EQ(
      tag,
      std::string("\x0d\x64\x0d\xf5\x8d\x78\x76\x6c\x08\xc0\x37\xa3\x4a\x8b\x53\xc9\xd0\x1e\xf0\x45\x2d\x75"
                  "\xb6\x5e\xb5\x25\x20\xe9\x6b\x01\xe6\x59",
                  32));
}

TEST(Password, IsKeptAsArgon2idWithASaltOfItsOwn) {
  const auto first = accounts::hash_password("a long password");
  EXPECT_THAT(first, ::testing::StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(first, accounts::hash_password("a long password"));
  EXPECT_TRUE(accounts::is_password(first, "a long password"));
  EXPECT_FALSE(accounts::is_password(first, "a long passwore"));
  EXPECT_FALSE(accounts::is_password("", ""));
  EXPECT_FALSE(accounts::is_password("", "nobody knows this one"));
  EXPECT_FALSE(accounts::is_password("plain text", "plain text"));
  EXPECT_FALSE(accounts::is_password("$argon2i$v=19$m=16,t=2,p=1$c29tZXNhbHQ$abc", "x"));
}

TEST(Password, RefusesWhatEverybodyTriesFirst) {
  const auto refusal = [](const std::string& password) {
    return code_of([&] { accounts::check_new_password(password, "maithinguyen@example.com"); });
  };
  EXPECT_EQ(refusal("123456789"), "password_too_short");
  EXPECT_EQ(refusal("ắắắắắ"), "password_too_short");  // five letters of three bytes
  EXPECT_EQ(refusal("1234567890"), "password_too_common");
  EXPECT_EQ(refusal("MatKhau123"), "password_too_common");
  EXPECT_EQ(refusal("aaaaaaaaaaaa"), "password_too_common");
  EXPECT_EQ(refusal("MaiThiNguyen"), "password_too_common");
  EXPECT_EQ(refusal(std::string(201, 'a') + "b"), "password_too_long");
  EXPECT_EQ(refusal("nhẫn vàng của bà"), "");
  EXPECT_EQ(refusal(std::string(199, 'a') + "b"), "");
}

TEST(Account, ChecksWhatIsTyped) {
  EXPECT_EQ(accounts::checked_email("  Mai.Nguyen+shop@Mail.Example.VN "), "mai.nguyen+shop@mail.example.vn");
  for (const char* bad :
       {"", "mai", "@example.com", "mai@", "mai@localhost", "mai@example..com", "mai@-example.com",
        "mai@example.com\r\nBcc: all@example.com", "ma i@example.com", ".mai@example.com",
        "mai@example.com,lan@example.com", "mai@exa mple.com", "<mai@example.com>"})
    EXPECT_EQ(code_of([&] { accounts::checked_email(bad); }), "bad_email") << bad;
  EXPECT_EQ(code_of([] { accounts::checked_email(std::string(65, 'a') + "@example.com"); }), "bad_email");
  EXPECT_EQ(accounts::checked_phone("0912.345-678"), "0912345678");
  EXPECT_EQ(accounts::checked_phone(""), "");
  for (const char* bad : {"123", "912345678", "09123456789012", "0912x45678"})
    EXPECT_EQ(code_of([&] { accounts::checked_phone(bad); }), "bad_phone") << bad;
  EXPECT_EQ(accounts::checked_name(" Trần Văn Á "), "Trần Văn Á");
  for (const char* bad : {"", "   ", "a\nb", "\xff\xfe"})
    EXPECT_EQ(code_of([&] { accounts::checked_name(bad); }), "bad_name") << bad;
}

}  // namespace
}  // namespace shop
