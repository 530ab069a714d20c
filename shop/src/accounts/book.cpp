#include "accounts/book.h"

#include "accounts/account.h"
#include "core/error.h"

namespace shop::accounts {
namespace {

using core::Refusal;

constexpr char kColumns[] = "SELECT id, name, phone, province, district, ward, street FROM addresses WHERE ";

Address read(const db::Row& row) {
  return {row.number(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5), row.text(6)};
}

Address checked(const Address& typed) {
  Address address{typed.id,
                  checked_name(typed.name),
                  checked_phone(typed.phone),
                  checked_line(typed.province, 100, "bad_address"),
                  checked_line(typed.district, 100, "bad_address"),
                  checked_line(typed.ward, 100, "bad_address"),
                  checked_line(typed.street, 200, "bad_address")};
  if (address.phone.empty()) throw Refusal(Refusal::Kind::kInvalid, "bad_phone");
  return address;
}

[[noreturn]] void not_found() {
  throw Refusal(Refusal::Kind::kNotFound, "page_not_found");
}

// One at a time for an account: two that count at once would both find room.
std::int64_t count(db::Connection& connection, const char* table, std::int64_t account) {
  connection.execute("UPDATE accounts SET name = name WHERE id = $1", {account});
  return connection
      .query_one(std::string("SELECT COUNT(*) FROM ") + table + " WHERE account_id = $1", {account})
      ->number(0);
}

}  // namespace

std::vector<Address> Book::addresses(std::int64_t account) const {
  std::vector<Address> all;
  for (const auto& row :
       database_.query(std::string(kColumns) + "account_id = $1 ORDER BY id DESC", {account}))
    all.push_back(read(row));
  return all;
}

Address Book::address(std::int64_t account, std::int64_t id) const {
  const auto row = database_.query_one(std::string(kColumns) + "account_id = $1 AND id = $2", {account, id});
  if (!row) not_found();
  return read(*row);
}

std::int64_t Book::save(std::int64_t account, const Address& typed) {
  const auto address = checked(typed);
  if (address.id != 0) {
    const auto changed = database_.execute(
        "UPDATE addresses SET name = $1, phone = $2, province = $3, district = $4, ward = $5, street = $6 "
        "WHERE "
        "account_id = $7 AND id = $8",
        {address.name, address.phone, address.province, address.district, address.ward, address.street,
         account, address.id});
    if (changed == 0) not_found();
    return address.id;
  }
  return database_.transact_for<std::int64_t>([&](db::Connection& connection) {
    if (count(connection, "addresses", account) >= static_cast<std::int64_t>(kMostAddresses))
      throw Refusal(Refusal::Kind::kConflict, "too_many_addresses");
    return connection
        .query_one(
            "INSERT INTO addresses (account_id, name, phone, province, district, ward, street, created_at) "
            "VALUES "
            "($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
            {account, address.name, address.phone, address.province, address.district, address.ward,
             address.street, clock_.now()})
        ->number(0);
  });
}

void Book::remove_address(std::int64_t account, std::int64_t id) {
  if (database_.execute("DELETE FROM addresses WHERE account_id = $1 AND id = $2", {account, id}) == 0)
    not_found();
}

std::vector<std::int64_t> Book::wishes(std::int64_t account) const {
  std::vector<std::int64_t> products;
  for (const auto& row : database_.query(
           "SELECT product_id FROM wishes WHERE account_id = $1 ORDER BY created_at DESC, product_id DESC",
           {account}))
    products.push_back(row.number(0));
  return products;
}

bool Book::wishes_for(std::int64_t account, std::int64_t product) const {
  return database_
      .query_one("SELECT product_id FROM wishes WHERE account_id = $1 AND product_id = $2",
                 {account, product})
      .has_value();
}

void Book::wish(std::int64_t account, std::int64_t product) {
  database_.transact([&](db::Connection& connection) {
    if (count(connection, "wishes", account) >= static_cast<std::int64_t>(kMostWishes))
      throw Refusal(Refusal::Kind::kConflict, "too_many_wishes");
    connection.execute(
        "INSERT INTO wishes (account_id, product_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        {account, product, clock_.now()});
  });
}

void Book::unwish(std::int64_t account, std::int64_t product) {
  database_.execute("DELETE FROM wishes WHERE account_id = $1 AND product_id = $2", {account, product});
}

}  // namespace shop::accounts
