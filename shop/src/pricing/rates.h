// The gold table: what a chỉ of each purity is sold and bought for, today and before.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/money.h"
#include "db/database.h"

namespace shop::pricing {

struct Rate {
  std::string purity;
  core::Dong sell_per_chi;
  core::Dong buy_per_chi;
  core::TimePoint valid_from;
  std::string source;
};
using RateTable = std::map<std::string, Rate, std::less<>>;  // by purity

class Rates {
 public:
  explicit Rates(db::Database& database) : database_(database) {}

  // The rate of each purity that counts at `now`; purities without one are not sold.
  RateTable current(core::TimePoint now) const;
  // Newest first.
  std::vector<Rate> history(std::string_view purity, int most) const;
  // Throws core::Refusal: an unknown purity, a rate of nothing, bought dearer than sold.
  void set(const std::vector<Rate>& rates);

 private:
  db::Database& database_;
};

}  // namespace shop::pricing
