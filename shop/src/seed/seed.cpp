#include "seed/seed.h"

#include <map>

#include "core/text.h"
#include "core/weight.h"
#include "pricing/purity.h"
#include "seed/goods.h"

namespace shop::seed {
namespace {

using Ids = std::map<std::string_view, std::int64_t>;
constexpr std::chrono::hours kApart{9};  // between two products: an order to show them in

std::vector<std::string> parts(std::string_view text) {
  auto found = core::words(text);
  if (found.empty()) found.emplace_back();
  return found;
}

std::int64_t inserted(db::Connection& connection, std::string_view sql, const db::Values& values) {
  return connection.query_one(std::string(sql) + " RETURNING id", values)->number(0);
}

Ids add_categories(db::Connection& connection) {
  Ids ids;
  int position = 0;
  for (const auto& row : categories()) {
    ids[row.slug] = inserted(
        connection, "INSERT INTO categories (slug, name_vi, name_en, position) VALUES ($1, $2, $3, $4)",
        {row.slug, row.name_vi, row.name_en, position++});
  }
  return ids;
}

Ids add_collections(db::Connection& connection) {
  Ids ids;
  int position = 0;
  for (const auto& row : collections()) {
    ids[row.slug] = inserted(connection,
                             "INSERT INTO collections (slug, name_vi, name_en, story_vi, story_en, position) "
                             "VALUES ($1, $2, $3, $4, $5, $6)",
                             {row.slug, row.name_vi, row.name_en, row.story_vi, row.story_en, position++});
  }
  return ids;
}

// The same piece in another metal: weights go with the metals' densities (g/cm³ × 100).
int density(std::string_view purity) {
  static const std::map<std::string_view, int> kDensities{{"gold-9999", 1930},  {"gold-750", 1550},
                                                          {"gold-585", 1330},   {"gold-416", 1150},
                                                          {"silver-925", 1036}, {"platinum-950", 2010}};
  return kDensities.at(purity);
}

std::int64_t weight_in(const Good& good, std::string_view first, std::string_view purity,
                       std::size_t size_at) {
  const auto same_volume = good.weight_mg * density(purity) / density(first);
  const auto larger = same_volume * static_cast<std::int64_t>(size_at) * 3 / 100;  // 3 % a size
  return (same_volume + larger + 5) / 10 * 10;
}

std::string describe_vi(const Good& good) {
  std::string text = std::string(good.name_vi) + " được chế tác thủ công tại xưởng của chúng tôi";
  if (good.stone.empty()) return text + ", bề mặt đánh bóng gương, ôm vừa vặn và bền đẹp theo năm tháng.";
  text += good.certified ? ", nạm đá tự nhiên có giấy kiểm định kèm theo." : ", nạm đá được chọn từng viên.";
  return text + " Mỗi món được cân, khắc tuổi kim loại và kiểm tra ổ đá trước khi giao.";
}

std::string describe_en(const Good& good) {
  std::string text = "Made by hand in our own workshop";
  if (good.stone.empty()) return text + ", mirror-polished, comfortable to wear and made to last.";
  text += good.certified ? ", set with natural stones that come with their certificate."
                         : ", set with stones chosen one by one.";
  return text + " Every piece is weighed, hallmarked and its settings checked before it leaves us.";
}

void add_stone(db::Connection& connection, const Good& good, std::int64_t variant, const std::string& sku) {
  if (good.stone.empty()) return;
  const db::Value certificate = good.certified ? db::Value("VN-" + sku) : db::Value(nullptr);
  connection.execute(
      "INSERT INTO stones (variant_id, kind, pieces, carat_thousandths, certificate, price) VALUES ($1, $2, "
      "$3, $4, $5, $6)",
      {variant, good.stone, good.stone_pieces, good.stone_carat_thousandths, certificate, good.stone_price});
}

void add_variants(db::Connection& connection, const Good& good, std::int64_t product, int number) {
  const auto purities = parts(good.purities);
  const auto sizes = parts(good.sizes);
  int position = 0;
  for (const auto& purity : purities) {
    for (std::size_t at = 0; at < sizes.size(); ++at) {
      auto sku = "TS" + std::to_string(1000 + number) + '-' + purity.substr(purity.find('-') + 1) +
                 (sizes[at].empty() ? "" : '-' + sizes[at]);
      const auto id = inserted(
          connection,
          "INSERT INTO variants (product_id, sku, size, purity, colour, weight_mg, making_charge, "
          "unique_pieces, position) "
          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
          {product, sku, sizes[at], purity, good.colour, weight_in(good, purities.front(), purity, at),
           good.making_charge, good.unique, position++});
      add_stone(connection, good, id, sku);
    }
  }
}

}  // namespace

bool fill(db::Database& database, core::TimePoint now) {
  return database.transact_for<bool>([now](db::Connection& connection) {
    if (connection.query_one("SELECT id FROM products LIMIT 1")) return false;
    const auto category_ids = add_categories(connection);
    const auto collection_ids = add_collections(connection);
    int number = 0;
    for (const auto& good : goods()) {
      const auto collection =
          good.collection.empty() ? db::Value(nullptr) : db::Value(collection_ids.at(good.collection));
      const auto id =
          inserted(connection,
                   "INSERT INTO products (slug, category_id, collection_id, name_vi, name_en, "
                   "description_vi, description_en, design, "
                   "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   {core::slug(good.name_vi), category_ids.at(good.category), collection, good.name_vi,
                    good.name_en, describe_vi(good), describe_en(good), good.design, now - kApart * number});
      add_variants(connection, good, id, ++number);
    }
    for (const auto& rate : rates()) {
      connection.execute(
          "INSERT INTO metal_rates (purity, sell_per_chi, buy_per_chi, valid_from, source) VALUES ($1, $2, "
          "$3, $4, 'seed')",
          {rate.purity, rate.sell_per_chi, rate.buy_per_chi, now});
    }
    connection.execute("UPDATE revisions SET number = number + 1 WHERE name = 'catalogue'");
    return true;
  });
}

}  // namespace shop::seed
