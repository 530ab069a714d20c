// Accounts: asked for, confirmed from the mailbox, signed in to, given a new password, forgotten.
//
// Nobody learns here whether an e-mail address has an account: what is asked for is answered the same either
// way, and the letter tells the difference to the one who can read it. Sessions are the web's. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/account.h"
#include "accounts/limits.h"
#include "accounts/mailbox.h"

namespace shop::accounts {

struct SignUp {
  std::string email;
  std::string name;
  std::string password;
  core::Language language = core::Language::kVietnamese;
};

class Accounts {
 public:
  // `site` is where the shop is found from outside ("https://shop.example"): links in letters begin with it.
  // It never comes from a request, whose Host header says what its sender likes.
  Accounts(db::Database& database, const core::Clock& clock, Mailbox& mailbox, std::string site);

  // All throw core::Refusal: kInvalid for what was typed, kTooMany beyond the limits. `from` is the caller's
  // network address.
  void ask_sign_up(const SignUp& wish, const std::string& from);
  // The account, when the link's token lives and the password is the one chosen with it: whoever signs up
  // with somebody else's address cannot make its owner open the account for him.
  Account confirm_sign_up(const std::string& token, const std::string& password, const std::string& from);
  Account sign_in(const std::string& email, const std::string& password, const std::string& from);
  void ask_reset(const std::string& email, const std::string& from);
  bool is_reset(const std::string& token) const;
  Account reset(const std::string& token, const std::string& password);
  void change_password(std::int64_t account, const std::string& old_one, const std::string& new_one);
  void change_profile(std::int64_t account, const std::string& name, const std::string& phone,
                      core::Language language);

  std::optional<Account> find(std::int64_t account) const;
  std::optional<Account> find_by_email(const std::string& email) const;
  // Staff made by other staff or by the command line; the password of an account that exists is left alone.
  Account add_staff(const std::string& email, const std::string& name, Role role,
                    const std::string& password);
  // Throws core::Refusal (conflict) for the last administrator.
  void set_role(std::int64_t account, Role role);
  // Takes away what is past its time; the worker's.
  void sweep();

 private:
  void put_link(db::Connection& connection, const Account& account, bool asked_to_sign_up);
  Account known(std::int64_t account) const;

  db::Database& database_;
  const core::Clock& clock_;
  Mailbox& mailbox_;
  std::string site_;
  Limits limits_;
};

}  // namespace shop::accounts
