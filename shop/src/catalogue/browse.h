// Choosing among products: filters, search, order, pages. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalogue/snapshot.h"

namespace shop::catalogue {

inline constexpr std::size_t kPageSize = 24;

enum class Order { kNewest, kCheapest, kDearest };

// Empty members do not filter.
struct Wish {
  std::string category;    // slug
  std::string collection;  // slug
  std::string metal;       // "gold"
  std::string purity;      // "gold-750"
  std::string stone;       // "diamond"; "none": without any
  std::optional<core::Dong> from, to;
  std::string words;  // as typed
  Order order = Order::kNewest;
  std::size_t page = 1;
};

struct Found {
  std::vector<const Product*> products;  // of the page
  std::size_t total = 0;
  std::size_t pages = 1;
  std::size_t page = 1;  // the wish's, or the last there is
};

// A product is found when one variant of it meets every filter at once; its price is then the cheapest of
// those.
Found browse(const Snapshot& snapshot, const Wish& wish);
std::optional<Order> parse_order(std::string_view text);
std::string_view order_code(Order order);

}  // namespace shop::catalogue
