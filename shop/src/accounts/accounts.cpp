#include "accounts/accounts.h"

#include "accounts/letters.h"
#include "accounts/password.h"
#include "core/error.h"
#include "core/secrets.h"

namespace shop::accounts {
namespace {

using core::Refusal;
using std::chrono::minutes;

constexpr std::chrono::hours kSignUpLife{24};
constexpr minutes kResetLife{30};

// By account, so that many machines cannot try one; by address, so that one machine cannot try many.
constexpr Limit kSignInByAccount{"sign-in-account", 10, minutes(15)};
constexpr Limit kSignInByAddress{"sign-in-address", 50, minutes(15)};
constexpr Limit kLettersToMailbox{"letters-mailbox", 3, minutes(60)};
constexpr Limit kLettersByAddress{"letters-address", 20, minutes(60)};
constexpr Limit kOldPassword{"old-password", 10, minutes(15)};

constexpr char kColumns[] = "SELECT id, email, name, phone, language, role, created_at FROM accounts WHERE ";

Account read(const db::Row& row) {
  return {row.number(0),
          row.text(1),
          row.text(2),
          row.text(3),
          parse_language(row.text(4)),
          parse_role(row.text(5)).value_or(Role::kCustomer),
          row.time(6)};
}

std::optional<Account> read_one(const std::optional<db::Row>& row) {
  if (!row) return std::nullopt;
  return read(*row);
}

[[noreturn]] void refuse(const char* code) {
  throw Refusal(Refusal::Kind::kInvalid, code);
}

std::string link(const std::string& site, core::Language language, const char* path,
                 const std::string& token) {
  return site + (language == core::Language::kEnglish ? "/en" : "") + path + "?ma=" + token;
}

std::int64_t insert(db::Connection& connection, const SignUp& who, const std::string& hash, Role role,
                    core::TimePoint now) {
  return connection
      .query_one(
          "INSERT INTO accounts (email, name, password, language, role, created_at) VALUES ($1, $2, $3, $4, "
          "$5, $6) "
          "RETURNING id",
          {who.email, who.name, hash, language_code(who.language), role_code(role), now})
      ->number(0);
}

}  // namespace

Accounts::Accounts(db::Database& database, const core::Clock& clock, Mailbox& mailbox, std::string site)
    : database_(database),
      clock_(clock),
      mailbox_(mailbox),
      site_(std::move(site)),
      limits_(database, clock) {}

void Accounts::ask_sign_up(const SignUp& wish, const std::string& from) {
  const auto email = checked_email(wish.email);
  const auto name = checked_name(wish.name);
  check_new_password(wish.password, email);
  limits_.count(kLettersByAddress, from);
  limits_.count(kLettersToMailbox, email);
  const auto hash = hash_password(wish.password);  // in either case: it takes the same time
  const auto token = core::random_token();
  database_.transact([&](db::Connection& connection) {
    if (const auto there = read_one(connection.query_one(std::string(kColumns) + "email = $1", {email}))) {
      put_link(connection, *there, true);
      return;
    }
    connection.execute(
        "INSERT INTO sign_ups (token, email, name, password, language, expires_at) VALUES ($1, $2, $3, $4, "
        "$5, $6)",
        {core::sha256(token), email, name, hash, language_code(wish.language), clock_.now() + kSignUpLife});
    mailbox_.put(connection,
                 confirm_letter(email, link(site_, wish.language, "/xac-nhan", token), wish.language));
  });
}

Account Accounts::confirm_sign_up(const std::string& token, const std::string& password,
                                  const std::string& from) {
  limits_.count(kSignInByAddress, from);
  const auto digest = core::sha256(token);
  limits_.count(kSignInByAccount, digest);
  const auto row = database_.query_one(
      "SELECT email, name, password, language FROM sign_ups WHERE token = $1 AND expires_at > $2",
      {digest, clock_.now()});
  if (!row) refuse("link_is_old");
  if (!is_password(row->text(2), password)) refuse("wrong_password");
  const SignUp who{row->text(0), row->text(1), {}, parse_language(row->text(3))};
  const auto id = database_.transact_for<std::int64_t>([&](db::Connection& connection) {
    // Whoever opens another link of the same address meanwhile has the account.
    if (connection.query_one("SELECT id FROM accounts WHERE email = $1", {who.email})) refuse("link_is_old");
    if (connection.execute("DELETE FROM sign_ups WHERE token = $1", {digest}) != 1) refuse("link_is_old");
    connection.execute("DELETE FROM sign_ups WHERE email = $1", {who.email});
    return insert(connection, who, row->text(2), Role::kCustomer, clock_.now());
  });
  return known(id);
}

Account Accounts::sign_in(const std::string& typed, const std::string& password, const std::string& from) {
  const auto email = checked_email(typed);
  // Counted before the password is looked at: many tries at once are no way around.
  limits_.count(kSignInByAddress, from);
  limits_.count(kSignInByAccount, email);
  const auto row = database_.query_one("SELECT password, id FROM accounts WHERE email = $1", {email});
  if (!is_password(row ? row->text(0) : "", password)) refuse("wrong_email_or_password");
  limits_.forget(kSignInByAccount, email);
  return known(row->number(1));
}

// A letter with a link to a new password; an older link is worth nothing from now on.
void Accounts::put_link(db::Connection& connection, const Account& account, bool asked_to_sign_up) {
  const auto token = core::random_token();
  connection.execute("DELETE FROM password_resets WHERE account_id = $1", {account.id});
  connection.execute("INSERT INTO password_resets (token, account_id, expires_at) VALUES ($1, $2, $3)",
                     {core::sha256(token), account.id, clock_.now() + kResetLife});
  const auto url = link(site_, account.language, "/mat-khau-moi", token);
  mailbox_.put(connection, asked_to_sign_up ? known_letter(account.email, url, account.language)
                                            : reset_letter(account.email, url, account.language));
}

void Accounts::ask_reset(const std::string& typed, const std::string& from) {
  const auto email = checked_email(typed);
  limits_.count(kLettersByAddress, from);
  limits_.count(kLettersToMailbox, email);
  database_.transact([&](db::Connection& connection) {
    const auto account = read_one(connection.query_one(std::string(kColumns) + "email = $1", {email}));
    if (account) put_link(connection, *account, false);
  });
}

bool Accounts::is_reset(const std::string& token) const {
  return database_
      .query_one("SELECT account_id FROM password_resets WHERE token = $1 AND expires_at > $2",
                 {core::sha256(token), clock_.now()})
      .has_value();
}

Account Accounts::reset(const std::string& token, const std::string& password) {
  const auto digest = core::sha256(token);
  const auto owner = database_.query_one(
      "SELECT account_id FROM password_resets WHERE token = $1 AND expires_at > $2", {digest, clock_.now()});
  if (!owner) refuse("link_is_old");
  const auto account = known(owner->number(0));
  check_new_password(password, account.email);
  const auto hash = hash_password(password);
  database_.transact([&](db::Connection& connection) {
    // Of two that come with the same link one finds it.
    if (connection.execute("DELETE FROM password_resets WHERE token = $1", {digest}) != 1)
      refuse("link_is_old");
    connection.execute("UPDATE accounts SET password = $1 WHERE id = $2", {hash, account.id});
    mailbox_.put(connection, password_changed_letter(account.email, account.language));
  });
  limits_.forget(kSignInByAccount, account.email);
  return account;
}

void Accounts::change_password(std::int64_t id, const std::string& old_one, const std::string& new_one) {
  const auto account = known(id);
  check_new_password(new_one, account.email);
  limits_.count(kOldPassword, account.email);
  const auto row = database_.query_one("SELECT password FROM accounts WHERE id = $1", {id});
  if (!is_password(row->text(0), old_one)) refuse("wrong_password");
  const auto hash = hash_password(new_one);
  database_.transact([&](db::Connection& connection) {
    connection.execute("UPDATE accounts SET password = $1 WHERE id = $2", {hash, id});
    connection.execute("DELETE FROM password_resets WHERE account_id = $1", {id});
    mailbox_.put(connection, password_changed_letter(account.email, account.language));
  });
  limits_.forget(kOldPassword, account.email);
}

void Accounts::change_profile(std::int64_t id, const std::string& name, const std::string& phone,
                              core::Language language) {
  database_.execute(
      "UPDATE accounts SET name = $1, phone = $2, language = $3 WHERE id = $4 AND deleted_at IS NULL",
      {checked_name(name), checked_phone(phone), language_code(language), id});
}

std::optional<Account> Accounts::find(std::int64_t id) const {
  return read_one(database_.query_one(std::string(kColumns) + "id = $1 AND deleted_at IS NULL", {id}));
}

std::optional<Account> Accounts::find_by_email(const std::string& typed) const {
  return read_one(database_.query_one(std::string(kColumns) + "email = $1 AND deleted_at IS NULL",
                                      {checked_email(typed)}));
}

Account Accounts::known(std::int64_t id) const {
  auto account = find(id);
  if (!account) throw Refusal(Refusal::Kind::kNotFound, "account_not_found");
  return *account;
}

Account Accounts::add_staff(const std::string& typed, const std::string& name, Role role,
                            const std::string& password) {
  const auto email = checked_email(typed);
  const auto checked = checked_name(name);
  if (const auto there = find_by_email(email)) {
    set_role(there->id, role);
    return known(there->id);
  }
  check_new_password(password, email);
  const auto hash = hash_password(password);
  const auto id = database_.transact_for<std::int64_t>([&](db::Connection& connection) {
    return insert(connection, {email, checked, {}, core::Language::kVietnamese}, hash, role, clock_.now());
  });
  return known(id);
}

void Accounts::set_role(std::int64_t id, Role role) {
  database_.transact([&](db::Connection& connection) {
    // Two administrators who dismiss each other at the same moment come one after the other.
    connection.execute("UPDATE accounts SET role = role WHERE role = 'administrator'");
    const auto others = connection.query_one(
        "SELECT COUNT(*) FROM accounts WHERE role = 'administrator' AND deleted_at IS NULL AND id <> $1",
        {id});
    const auto now_is =
        connection.query_one("SELECT role FROM accounts WHERE id = $1 AND deleted_at IS NULL", {id});
    if (!now_is) throw Refusal(Refusal::Kind::kNotFound, "account_not_found");
    const bool steps_down = now_is->text(0) == "administrator" && role != Role::kAdministrator;
    if (steps_down && others->number(0) == 0) throw Refusal(Refusal::Kind::kConflict, "last_administrator");
    connection.execute("UPDATE accounts SET role = $1 WHERE id = $2", {role_code(role), id});
  });
}

void Accounts::sweep() {
  const auto now = clock_.now();
  database_.execute("DELETE FROM sign_ups WHERE expires_at <= $1", {now});
  database_.execute("DELETE FROM password_resets WHERE expires_at <= $1", {now});
  limits_.sweep();
}

}  // namespace shop::accounts
