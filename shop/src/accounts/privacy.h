// What the shop knows of one person, given to him, and forgotten when he asks. Thread-safe.
#pragma once

#include <Poco/JSON/Object.h>

#include <functional>
#include <string>
#include <vector>

#include "accounts/accounts.h"
#include "accounts/book.h"
#include "accounts/reviews.h"

namespace shop::accounts {

class Privacy {
 public:
  Privacy(db::Database& database, const core::Clock& clock) : database_(database), clock_(clock) {}

  // Other modules' part: what they know of an account, and how they forget it in the same transaction.
  using Tell = std::function<void(std::int64_t account, Poco::JSON::Object& into)>;
  using Forget = std::function<void(db::Connection&, std::int64_t account)>;
  void add(Tell tell, Forget forget);

  // All of it as JSON.
  std::string export_json(const Account& account) const;
  // Name, e-mail, telephone, addresses, wishes, links and sessions go; the account's row stays for its
  // orders, which the law wants kept. Throws core::Refusal (conflict) for staff, whose deeds stand in the
  // audit log.
  void forget(const Account& account);

 private:
  db::Database& database_;
  const core::Clock& clock_;
  std::vector<Tell> tell_;
  std::vector<Forget> forget_;
};

}  // namespace shop::accounts
