#include "catalogue/browse.h"

#include <algorithm>

#include "core/text.h"

namespace shop::catalogue {
namespace {

bool has_stone(const Variant& variant, const std::string& kind) {
  if (kind == "none") return variant.stones.empty();
  return std::any_of(variant.stones.begin(), variant.stones.end(),
                     [&](const Stone& stone) { return stone.kind == kind; });
}

bool fits(const Variant& variant, const Wish& wish) {
  if (!wish.metal.empty() && pricing::metal_code(variant.purity->metal) != wish.metal) return false;
  if (!wish.purity.empty() && variant.purity->code != wish.purity) return false;
  if (!wish.stone.empty() && !has_stone(variant, wish.stone)) return false;
  if (wish.from && variant.price.total < *wish.from) return false;
  return !wish.to || variant.price.total <= *wish.to;
}

// Every word typed must begin a word of the product's.
bool says(const Product& product, const std::vector<std::string>& words) {
  const auto padded = ' ' + product.search_text;
  return std::all_of(words.begin(), words.end(),
                     [&](const std::string& word) { return padded.find(' ' + word) != padded.npos; });
}

struct Match {
  const Product* product;
  core::Dong price;
};

std::optional<core::Dong> price_of(const Product& product, const Wish& wish) {
  std::optional<core::Dong> least;
  for (const auto& variant : product.variants) {
    if (fits(variant, wish) && (!least || variant.price.total < *least)) least = variant.price.total;
  }
  return least;
}

void sort(std::vector<Match>& matches, Order order) {
  if (order == Order::kNewest) return;  // as the snapshot has them
  std::sort(matches.begin(), matches.end(), [order](const Match& a, const Match& b) {
    if (a.price == b.price) return a.product->id > b.product->id;  // an order that pages can rely on
    return order == Order::kCheapest ? a.price < b.price : b.price < a.price;
  });
}

}  // namespace

Found browse(const Snapshot& snapshot, const Wish& wish) {
  const auto words = core::words(core::fold(wish.words));
  std::vector<Match> matches;
  for (const auto& product : snapshot.products) {
    if (!wish.category.empty() && snapshot.categories[product.category].slug != wish.category) continue;
    if (!wish.collection.empty() &&
        (!product.collection || snapshot.collections[*product.collection].slug != wish.collection))
      continue;
    if (!says(product, words)) continue;
    if (const auto price = price_of(product, wish)) matches.push_back({&product, *price});
  }
  sort(matches, wish.order);
  Found found;
  found.total = matches.size();
  found.pages = std::max<std::size_t>(1, (matches.size() + kPageSize - 1) / kPageSize);
  found.page = std::clamp<std::size_t>(wish.page, 1, found.pages);
  const auto first = (found.page - 1) * kPageSize;
  for (auto at = first; at < std::min(matches.size(), first + kPageSize); ++at)
    found.products.push_back(matches[at].product);
  return found;
}

std::optional<Order> parse_order(std::string_view text) {
  for (const auto order : {Order::kNewest, Order::kCheapest, Order::kDearest}) {
    if (order_code(order) == text) return order;
  }
  return std::nullopt;
}

std::string_view order_code(Order order) {
  switch (order) {
    case Order::kCheapest:
      return "cheapest";
    case Order::kDearest:
      return "dearest";
    case Order::kNewest:
      break;
  }
  return "newest";
}

}  // namespace shop::catalogue
