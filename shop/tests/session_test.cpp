// Sessions and the token of forms.
#include <gmock/gmock.h>

#include "browser.h"
#include "core/secrets.h"
#include "web/csrf.h"
#include "world.h"

namespace shop {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SessionTest : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    if (IsSkipped()) return;
    stock();
    app = std::make_unique<web::App>(*database, clock);
  }
  void TearDown() override {
    app.reset();
    World::TearDown();
  }
  static std::string cookie_of(const web::Response& response) {
    for (const auto& [name, value] : response.headers) {
      if (name == "Set-Cookie") return value;
    }
    return {};
  }
  std::int64_t rows() { return database->query_one("SELECT COUNT(*) FROM sessions")->number(0); }
  web::Request with(const std::string& token) const {
    web::Request request;
    request.cookies.emplace("session", token);
    return request;
  }
  std::unique_ptr<web::App> app;
};
INSTANTIATE_TEST_SUITE_P(Both, SessionTest, ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres),
                         engine_name);

TEST_P(SessionTest, ReadingGivesACookieAndWritesNothing) {
  Browser browser(*app);
  const auto cookie = cookie_of(browser.get("/"));
  EXPECT_THAT(cookie, HasSubstr("HttpOnly"));
  EXPECT_THAT(cookie, HasSubstr("SameSite=Lax"));
  EXPECT_THAT(cookie, Not(HasSubstr("Secure")));
  EXPECT_EQ(cookie_of(browser.get("/")), "");
  EXPECT_EQ(rows(), 0);
}

TEST_P(SessionTest, TheCookieIsSecureAndOfThisHostAloneOverTls) {
  Browser browser(*app);
  browser.headers.emplace("x-forwarded-proto", "https");
  const auto cookie = cookie_of(browser.get("/"));
  EXPECT_THAT(cookie, HasSubstr("__Host-session="));
  EXPECT_THAT(cookie, HasSubstr("; Secure"));
}

TEST_P(SessionTest, AFormWithoutTheTokenOfItsSessionIsRefused) {
  Browser browser(*app);
  EXPECT_EQ(browser.call("POST", "/gio-hang").status, 403);  // no session at all
  browser.get("/");
  browser.headers["x-csrf-token"] = std::string(64, '0');
  EXPECT_EQ(browser.call("POST", "/gio-hang").status, 403);
  Browser other(*app);
  other.get("/");
  browser.headers["x-csrf-token"] = other.csrf();
  EXPECT_EQ(browser.call("POST", "/gio-hang").status, 403);
  EXPECT_EQ(rows(), 0);
  browser.headers["x-csrf-token"] = browser.csrf();
  EXPECT_NE(browser.call("POST", "/khong-co").status, 403);
  EXPECT_EQ(rows(), 1);
  browser.headers["sec-fetch-site"] = "cross-site";
  EXPECT_EQ(browser.call("POST", "/khong-co").status, 403);
}

TEST_P(SessionTest, SigningInChangesTheTokenAndEndsTheOldOne) {
  web::Sessions sessions(*database, clock);
  const auto guest = sessions.of({});
  sessions.keep(guest);
  const auto signed_in = sessions.renew(guest, 7);
  EXPECT_NE(signed_in.token, guest.token);
  EXPECT_EQ(sessions.of(with(signed_in.token)).customer, 7);
  EXPECT_EQ(sessions.of(with(guest.token)).customer, std::nullopt);
  EXPECT_EQ(rows(), 1);
  const auto elsewhere = sessions.renew(sessions.of({}), 7);
  sessions.end_all(7, signed_in);
  EXPECT_EQ(sessions.of(with(elsewhere.token)).customer, std::nullopt);
  EXPECT_EQ(sessions.of(with(signed_in.token)).customer, 7);
}

TEST_P(SessionTest, EndsThirtyDaysAfterItWasLastSeen) {
  web::Sessions sessions(*database, clock);
  const auto session = sessions.renew(sessions.of({}), 7);
  clock.time += std::chrono::hours(24 * 29);
  EXPECT_EQ(sessions.of(with(session.token)).customer, 7);
  clock.time += std::chrono::hours(24 * 29);
  EXPECT_EQ(sessions.of(with(session.token)).customer, 7);
  clock.time += std::chrono::hours(24 * 31);
  const auto late = sessions.of(with(session.token));
  EXPECT_EQ(late.customer, std::nullopt);
  sessions.keep(late);  // and does not come to life again with a form
  EXPECT_EQ(sessions.of(with(session.token)).customer, std::nullopt);
  clock.time += std::chrono::hours(24 * 31);
  EXPECT_EQ(sessions.prune(), 1U);
}

TEST(Secrets, AreDigestsAsTheStandardsSay) {
  EXPECT_EQ(core::sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, cases 2 and 6
  EXPECT_EQ(core::hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      core::hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_TRUE(core::is_token(core::random_token()));
  EXPECT_NE(core::random_token(), core::random_token());
  EXPECT_FALSE(core::is_token("x"));
  EXPECT_TRUE(core::same_secret("ab", "ab"));
  EXPECT_FALSE(core::same_secret("ab", "ac"));
  EXPECT_FALSE(core::same_secret("ab", "abc"));
}

}  // namespace
}  // namespace shop
