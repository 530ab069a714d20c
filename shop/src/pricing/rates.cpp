#include "pricing/rates.h"

#include "core/error.h"
#include "pricing/purity.h"

namespace shop::pricing {
namespace {

Rate read(const db::Row& row) {
  return {row.text(0), row.money(1), row.money(2), row.time(3), row.text(4)};
}

void check(const Rate& rate) {
  using core::Refusal;
  if (!find_purity(rate.purity)) throw Refusal(Refusal::Kind::kInvalid, "unknown_purity", rate.purity);
  if (rate.buy_per_chi <= core::Dong() || rate.sell_per_chi < rate.buy_per_chi) {
    throw Refusal(Refusal::Kind::kInvalid, "bad_rate", rate.purity);
  }
}

}  // namespace

RateTable Rates::current(core::TimePoint now) const {
  RateTable table;
  const auto rows = database_.query(
      "SELECT purity, sell_per_chi, buy_per_chi, valid_from, source FROM metal_rates r WHERE id = "
      "(SELECT id FROM metal_rates WHERE purity = r.purity AND valid_from <= $1 ORDER BY valid_from DESC, id "
      "DESC LIMIT 1)",
      {now});
  for (const auto& row : rows) table.emplace(row.text(0), read(row));
  return table;
}

std::vector<Rate> Rates::history(std::string_view purity, int most) const {
  std::vector<Rate> rates;
  const auto rows = database_.query(
      "SELECT purity, sell_per_chi, buy_per_chi, valid_from, source FROM metal_rates WHERE purity = $1 "
      "ORDER BY valid_from DESC, id DESC LIMIT $2",
      {purity, most});
  for (const auto& row : rows) rates.push_back(read(row));
  return rates;
}

void Rates::set(const std::vector<Rate>& rates) {
  for (const auto& rate : rates) check(rate);
  database_.transact([&](db::Connection& connection) {
    for (const auto& rate : rates) {
      connection.execute(
          "INSERT INTO metal_rates (purity, sell_per_chi, buy_per_chi, valid_from, source) VALUES ($1, $2, "
          "$3, $4, $5)",
          {rate.purity, rate.sell_per_chi, rate.buy_per_chi, rate.valid_from, rate.source});
    }
    connection.execute("UPDATE revisions SET number = number + 1 WHERE name = 'catalogue'");
  });
}

}  // namespace shop::pricing
