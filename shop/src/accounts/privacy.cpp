#include "accounts/privacy.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/JSON/Array.h>

#include <sstream>

#include "core/error.h"

namespace shop::accounts {
namespace {

using Object = Poco::JSON::Object;
using Array = Poco::JSON::Array;

std::string iso_time(core::TimePoint time) {
  const Poco::Timestamp stamp(time.time_since_epoch().count() * 1000);
  return Poco::DateTimeFormatter::format(stamp, "%Y-%m-%dT%H:%M:%SZ");
}

Object::Ptr object() {
  return new Object(Poco::JSON_PRESERVE_KEY_ORDER);
}

Array::Ptr addresses_of(const Book& book, std::int64_t account) {
  Array::Ptr list = new Array;
  for (const auto& address : book.addresses(account)) {
    auto one = object();
    one->set("name", address.name);
    one->set("phone", address.phone);
    one->set("province", address.province);
    one->set("district", address.district);
    one->set("ward", address.ward);
    one->set("street", address.street);
    list->add(one);
  }
  return list;
}

Array::Ptr wishes_of(db::Database& database, std::int64_t account) {
  Array::Ptr list = new Array;
  for (const auto& row : database.query("SELECT p.slug, w.created_at FROM wishes w JOIN products p ON p.id = "
                                        "w.product_id WHERE w.account_id = $1 ORDER BY w.created_at",
                                        {account})) {
    auto one = object();
    one->set("product", row.text(0));
    one->set("since", iso_time(row.time(1)));
    list->add(one);
  }
  return list;
}

Array::Ptr reviews_of(db::Database& database, std::int64_t account) {
  Array::Ptr list = new Array;
  for (const auto& row : database.query(
           "SELECT p.slug, r.stars, r.words, r.state, r.created_at FROM reviews r JOIN products p ON p.id = "
           "r.product_id WHERE r.account_id = $1 ORDER BY r.created_at",
           {account})) {
    auto one = object();
    one->set("product", row.text(0));
    one->set("stars", row.number(1));
    one->set("words", row.text(2));
    one->set("state", row.text(3));
    one->set("at", iso_time(row.time(4)));
    list->add(one);
  }
  return list;
}

}  // namespace

void Privacy::add(Tell tell, Forget forget) {
  tell_.push_back(std::move(tell));
  forget_.push_back(std::move(forget));
}

std::string Privacy::export_json(const Account& account) const {
  auto all = object();
  all->set("email", account.email);
  all->set("name", account.name);
  all->set("phone", account.phone);
  all->set("language", std::string(language_code(account.language)));
  all->set("since", iso_time(account.created_at));
  all->set("addresses", addresses_of(Book(database_, clock_), account.id));
  all->set("wishes", wishes_of(database_, account.id));
  all->set("reviews", reviews_of(database_, account.id));
  for (const auto& tell : tell_) tell(account.id, *all);
  std::ostringstream text;
  all->stringify(text, 2);
  return text.str();
}

void Privacy::forget(const Account& account) {
  database_.transact([&](db::Connection& connection) {
    const auto changed = connection.execute(
        "UPDATE accounts SET email = $1, name = '', phone = '', password = '', deleted_at = $2 WHERE id = $3 "
        "AND "
        "deleted_at IS NULL AND role = 'customer'",
        {"deleted-" + std::to_string(account.id), clock_.now(), account.id});
    if (changed == 0) throw core::Refusal(core::Refusal::Kind::kConflict, "staff_is_kept");
    for (const char* table : {"addresses", "wishes", "password_resets"})
      connection.execute(std::string("DELETE FROM ") + table + " WHERE account_id = $1", {account.id});
    connection.execute("DELETE FROM sign_ups WHERE email = $1", {account.email});
    for (const auto& forget : forget_) forget(connection, account.id);
  });
}

}  // namespace shop::accounts
