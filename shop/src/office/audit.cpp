#include "office/audit.h"

#include <Poco/JSON/Object.h>

#include <sstream>

namespace shop::office {

Actor actor_of(const accounts::Account& account) {
  return {account.id, account.email};
}

void record(db::Connection& connection, core::TimePoint now, const Actor& actor, const Deed& deed) {
  connection.execute(
      "INSERT INTO audit_log (at, account_id, who, action, subject, before, after) VALUES ($1, $2, $3, $4, "
      "$5, $6, "
      "$7)",
      {now, actor.account, actor.name, deed.action, deed.subject, deed.before, deed.after});
}

std::vector<AuditRow> read_audit(db::Database& database, const std::string& subject, std::int64_t before,
                                 int most) {
  std::string sql = "SELECT id, at, who, action, subject, before, after FROM audit_log WHERE id < $1";
  db::Values values{before == 0 ? INT64_MAX : before};
  if (!subject.empty()) {
    sql += " AND subject = $2";
    values.emplace_back(subject);
  }
  sql += " ORDER BY id DESC LIMIT " + std::to_string(most);
  std::vector<AuditRow> rows;
  for (const auto& row : database.query(sql, values)) {
    rows.push_back(
        {row.number(0), row.time(1), row.text(2), {row.text(3), row.text(4), row.text(5), row.text(6)}});
  }
  return rows;
}

std::string describe(const Described& fields) {
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  for (const auto& [name, value] : fields) {
    if (value.is_null()) {
      object.set(name, Poco::Dynamic::Var());
    } else if (value.is_text()) {
      object.set(name, value.text());
    } else {
      object.set(name, value.number());
    }
  }
  std::ostringstream text;
  object.stringify(text);
  return text.str();
}

}  // namespace shop::office
