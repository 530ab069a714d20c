// What belongs to one account besides itself: addresses to deliver to, and the wish list. Every call says
// whose; what belongs to somebody else is not found. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "db/database.h"

namespace shop::accounts {

struct Address {
  std::int64_t id = 0;
  std::string name;
  std::string phone;
  std::string province, district, ward, street;
};

inline constexpr std::size_t kMostAddresses = 20;
inline constexpr std::size_t kMostWishes = 200;

class Book {
 public:
  Book(db::Database& database, const core::Clock& clock) : database_(database), clock_(clock) {}

  std::vector<Address> addresses(std::int64_t account) const;  // the newest first
  Address address(std::int64_t account, std::int64_t id) const;
  // id 0: a new one. Throws core::Refusal: what was typed, too many, somebody else's.
  std::int64_t save(std::int64_t account, const Address& address);
  void remove_address(std::int64_t account, std::int64_t id);

  std::vector<std::int64_t> wishes(std::int64_t account) const;  // products, the newest first
  bool wishes_for(std::int64_t account, std::int64_t product) const;
  void wish(std::int64_t account, std::int64_t product);  // again changes nothing
  void unwish(std::int64_t account, std::int64_t product);

 private:
  db::Database& database_;
  const core::Clock& clock_;
};

}  // namespace shop::accounts
