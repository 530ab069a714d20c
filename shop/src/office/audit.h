// Who did what, when, and what was there before and after. Rows are only ever added: the database refuses the
// rest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/account.h"
#include "core/clock.h"
#include "db/database.h"

namespace shop::office {

// The one who does it: a member of the staff, or the command line.
struct Actor {
  std::optional<std::int64_t> account;
  std::string name;
};
Actor actor_of(const accounts::Account& account);

struct Deed {
  std::string action;   // "product.change"
  std::string subject;  // "product 12"
  std::string before;   // JSON, or ''
  std::string after;
};

struct AuditRow {
  std::int64_t id = 0;
  core::TimePoint at;
  std::string who;
  Deed deed;
};

// Belongs into the transaction of what it tells of.
void record(db::Connection& connection, core::TimePoint now, const Actor& actor, const Deed& deed);

// The newest first, older than `before` (0: from the newest on); `subject` '' for all.
std::vector<AuditRow> read_audit(db::Database& database, const std::string& subject, std::int64_t before,
                                 int most);

// {"name": "…", …} in this order: what deeds are described by.
using Described = std::vector<std::pair<std::string, db::Value>>;
std::string describe(const Described& fields);

}  // namespace shop::office
