// What is sold, as the shop window shows it: plain values, priced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/language.h"
#include "core/weight.h"
#include "pricing/price.h"
#include "pricing/purity.h"

namespace shop::catalogue {

// A text in both languages.
struct Text {
  std::string vi;
  std::string en;
  const std::string& in(core::Language language) const {
    return language == core::Language::kVietnamese ? vi : en;
  }
};

struct Category {
  std::int64_t id = 0;
  std::string slug;
  Text name;
};

struct Collection {
  std::int64_t id = 0;
  std::string slug;
  Text name;
  Text story;
};

struct Stone {
  std::string kind;  // "diamond"
  int pieces = 0;
  int carat_thousandths = 0;  // of all pieces together
  std::optional<std::string> certificate;
  core::Dong price;
};

struct Variant {
  std::int64_t id = 0;
  std::string sku;
  std::string size;
  const pricing::Purity* purity = nullptr;  // of the fixed table
  std::string colour;
  core::Milligrams weight;
  std::vector<Stone> stones;
  pricing::PriceParts price;
};

struct Product {
  std::int64_t id = 0;
  std::string slug;
  std::size_t category = 0;               // index in Snapshot::categories
  std::optional<std::size_t> collection;  // likewise
  Text name;
  Text description;
  std::string design;
  core::TimePoint created_at;
  std::vector<Variant> variants;  // never empty
  std::string search_text;        // folded: names, category, metals, stones, SKUs

  const Variant& cheapest() const;
};

}  // namespace shop::catalogue
