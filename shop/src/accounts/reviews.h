// What buyers say of a piece. Only who has bought it may; the staff decides what is shown. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "db/database.h"

namespace shop::accounts {

struct Review {
  std::int64_t id = 0;
  std::int64_t product = 0;
  std::int64_t account = 0;
  std::string name;  // the writer's; '' when the account was deleted
  int stars = 0;
  std::string words;
  std::string state;  // waiting, shown, refused
  core::TimePoint at;
};

struct Stars {
  std::int64_t count = 0;
  std::int64_t tenths = 0;  // of the mean: 47 for 4.7
};

class Reviews {
 public:
  // Whether an account has a product by an order that was delivered: the orders' to say.
  using HasBought = std::function<bool(std::int64_t account, std::int64_t product)>;
  Reviews(db::Database& database, const core::Clock& clock, HasBought has_bought)
      : database_(database), clock_(clock), has_bought_(std::move(has_bought)) {}

  bool may_write(std::int64_t account, std::int64_t product) const;
  // One a product and person: a second one takes the place of the first and waits again. Throws
  // core::Refusal.
  void write(std::int64_t account, std::int64_t product, int stars, const std::string& words);
  std::optional<Review> own(std::int64_t account, std::int64_t product) const;
  std::vector<Review> shown(std::int64_t product, int most) const;
  Stars stars(std::int64_t product) const;
  std::vector<Review> in_state(const std::string& state, int most) const;  // the oldest first
  std::optional<Review> find(std::int64_t id) const;
  void decide(db::Connection& connection, std::int64_t id, bool show);

 private:
  db::Database& database_;
  const core::Clock& clock_;
  HasBought has_bought_;
};

}  // namespace shop::accounts
