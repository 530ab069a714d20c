// The first stock as a table. Pure data.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace shop::seed {

struct CategoryRow {
  std::string_view slug, name_vi, name_en;
};
std::span<const CategoryRow> categories();

struct CollectionRow {
  std::string_view slug, name_vi, name_en, story_vi, story_en;
};
std::span<const CollectionRow> collections();

struct RateRow {
  std::string_view purity;
  std::int64_t sell_per_chi, buy_per_chi;  // đồng
};
std::span<const RateRow> rates();

struct Good {
  std::string_view name_vi, name_en;
  std::string_view category, collection;  // slugs; "" for none
  std::string_view design, colour;
  std::string_view purities;  // "gold-750 gold-585"
  std::string_view sizes;     // "10 11 12"; "" for one without sizes
  std::int64_t weight_mg;     // in the first purity and size
  std::int64_t making_charge;
  std::string_view stone;  // "" for none
  int stone_pieces, stone_carat_thousandths;
  std::int64_t stone_price;
  bool certified;
  bool unique;  // exists as single pieces with serial numbers
};
std::span<const Good> goods();

}  // namespace shop::seed
