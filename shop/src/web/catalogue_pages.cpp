#include "web/catalogue_pages.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "core/money.h"
#include "web/texts.h"

namespace shop::web {
namespace {

using catalogue::Product;
using catalogue::Snapshot;
using catalogue::Variant;
using core::Language;
using core::Refusal;

constexpr std::size_t kShownAtHome = 8;
constexpr std::size_t kRelated = 4;
constexpr std::array<std::string_view, 10> kStones{"diamond", "ruby",     "sapphire", "emerald", "jade",
                                                   "topaz",   "amethyst", "garnet",   "pearl",   "cz"};

std::int64_t whole_number(std::string_view text, std::int64_t least, std::int64_t most, const char* refusal) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    throw Refusal(Refusal::Kind::kInvalid, refusal, std::string(text.substr(0, 50)));
  }
  return number;
}

std::optional<core::Dong> price_of(const Request& request, std::string_view name) {
  const auto text = request.param(name);
  if (text.empty()) return std::nullopt;
  return core::Dong(whole_number(text, 0, 1'000'000'000'000, "bad_price"));
}

std::string stone_of(const Variant& variant) {
  return variant.stones.empty() ? std::string() : variant.stones.front().kind;
}

std::string picture(const Product& product, const Variant& variant) {
  return Assets::drawing_url(product.design, variant.colour, stone_of(variant));
}

Data card(const Product& product, Language language) {
  const auto& variant = product.cheapest();
  Data data;
  data.set("url", link(language, "/san-pham/" + product.slug));
  data.set("name", product.name.in(language));
  data.set("picture", picture(product, variant));
  data.set("metal", std::string(variant.purity->name(language)));
  data.set("price", core::format(variant.price.total, language));
  data.set("several", product.variants.size() > 1);
  return data;
}

template <class Products>
Data cards(const Products& products, Language language) {
  Data list(Data::type::list);
  for (const auto* product : products) list.push_back(card(*product, language));
  return list;
}

Data gold_table(const Snapshot& snapshot, Language language) {
  Data list(Data::type::list);
  for (const auto& purity : pricing::purities()) {
    const auto rate = snapshot.rates.find(purity.code);
    if (rate == snapshot.rates.end()) continue;
    Data row;
    row.set("name", std::string(purity.name(language)));
    row.set("sell", core::format_number(rate->second.sell_per_chi.amount(), language));
    row.set("buy", core::format_number(rate->second.buy_per_chi.amount(), language));
    list.push_back(row);
  }
  return list;
}

struct Option {
  std::string value;
  std::string label;
};

Data options(const std::vector<Option>& all, std::string_view chosen) {
  Data list(Data::type::list);
  for (const auto& option : all) {
    Data item;
    item.set("value", option.value);
    item.set("label", option.label);
    item.set("chosen", option.value == chosen);
    list.push_back(item);
  }
  return list;
}

std::vector<Option> purity_options(Language language) {
  std::vector<Option> all{{"", std::string(text("any", language))}};
  for (const auto& purity : pricing::purities())
    all.push_back({std::string(purity.code), std::string(purity.name(language))});
  return all;
}

std::vector<Option> stone_options(Language language) {
  std::vector<Option> all{{"", std::string(text("any", language))},
                          {"none", std::string(text("stone_none", language))}};
  for (const auto stone : kStones)
    all.push_back({std::string(stone), std::string(text("stone_" + std::string(stone), language))});
  return all;
}

std::vector<Option> order_options(Language language) {
  std::vector<Option> all;
  for (const auto order :
       {catalogue::Order::kNewest, catalogue::Order::kCheapest, catalogue::Order::kDearest}) {
    const std::string code(catalogue::order_code(order));
    all.push_back({code, std::string(text("order_" + code, language))});
  }
  return all;
}

std::string page_url(const Request& request, std::size_t page) {
  auto query = request.query;
  query.insert_or_assign("trang", std::to_string(page));
  std::string url = link(request.language, request.path);
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    url += separator + url_encode(name) + '=' + url_encode(value);
    separator = '&';
  }
  return url;
}

Data stones_of(const Variant& variant, Language language) {
  Data list(Data::type::list);
  for (const auto& stone : variant.stones) {
    Data row;
    row.set("name", std::string(text("stone_" + stone.kind, language)));
    row.set("pieces", std::to_string(stone.pieces));
    const auto hundredths = (stone.carat_thousandths + 5) / 10;
    auto carat = std::to_string(hundredths / 100) + (language == Language::kVietnamese ? ',' : '.');
    carat += static_cast<char>('0' + hundredths / 10 % 10);
    carat += static_cast<char>('0' + hundredths % 10);
    row.set("carat", carat);
    if (stone.certificate) row.set("certificate", *stone.certificate);
    list.push_back(row);
  }
  return list;
}

Data price_rows(const Variant& variant, Language language) {
  const auto& parts = variant.price;
  Data list(Data::type::list);
  const auto add = [&](const char* key, core::Dong amount) {
    Data row;
    row.set("label", std::string(text(key, language)));
    row.set("amount", core::format(amount, language));
    list.push_back(row);
  };
  add("part_metal", parts.metal);
  add("part_making", parts.making);
  if (parts.stones != core::Dong()) add("part_stones", parts.stones);
  add("part_vat", parts.vat);
  if (parts.rounding != core::Dong()) add("part_rounding", parts.rounding);
  return list;
}

std::string variant_name(const Variant& variant, Language language) {
  std::string name(variant.purity->name(language));
  if (!variant.size.empty()) name += " · " + variant.size;
  return name;
}

const Variant& chosen_variant(const Product& product, std::string_view sku) {
  for (const auto& variant : product.variants) {
    if (variant.sku == sku) return variant;
  }
  return product.variants.front();
}

std::vector<const Product*> related_to(const Product& product, const Snapshot& snapshot) {
  std::vector<const Product*> found;
  for (const auto& other : snapshot.products) {
    if (found.size() == kRelated) break;
    const bool near =
        other.category == product.category || (product.collection && other.collection == product.collection);
    if (near && other.id != product.id) found.push_back(&other);
  }
  return found;
}

}  // namespace

catalogue::Wish read_wish(const Request& request) {
  catalogue::Wish wish;
  wish.metal = request.param("kim-loai");
  wish.purity = request.param("tuoi");
  wish.stone = request.param("da");
  wish.words = request.param("q").substr(0, 100);
  wish.from = price_of(request, "gia-tu");
  wish.to = price_of(request, "gia-den");
  if (!request.param("trang").empty())
    wish.page = static_cast<std::size_t>(whole_number(request.param("trang"), 1, 100'000, "bad_page"));
  const bool known_stone = wish.stone.empty() || wish.stone == "none" ||
                           std::find(kStones.begin(), kStones.end(), wish.stone) != kStones.end();
  const bool known = known_stone && (wish.purity.empty() || pricing::find_purity(wish.purity)) &&
                     (wish.metal.empty() || pricing::find_metal(wish.metal));
  if (!known) throw Refusal(Refusal::Kind::kInvalid, "bad_filter");
  if (const auto order = request.param("xep"); !order.empty()) {
    const auto parsed = catalogue::parse_order(order);
    if (!parsed) throw Refusal(Refusal::Kind::kInvalid, "bad_filter");
    wish.order = *parsed;
  }
  return wish;
}

void CataloguePages::add_to(Router& router) {
  router.on("GET", "/", [this](const Request& request) { return home(request); });
  router.on("GET", "/danh-muc/{slug}", [this](const Request& request) { return category(request); });
  router.on("GET", "/bo-suu-tap/{slug}", [this](const Request& request) { return collection(request); });
  router.on("GET", "/tim", [this](const Request& request) { return search(request); });
  router.on("GET", "/san-pham/{slug}", [this](const Request& request) { return product(request); });
}

Response CataloguePages::home(const Request& request) {
  const auto snapshot = snapshots_.current();
  const auto language = request.language;
  std::vector<const Product*> newest;
  for (std::size_t at = 0; at < std::min(kShownAtHome, snapshot->products.size()); ++at)
    newest.push_back(&snapshot->products[at]);
  Data data;
  data.set("title", std::string(text("tagline", language)));
  data.set("products", cards(newest, language));
  data.set("gold", gold_table(*snapshot, language));
  data.set("hero_url", link(language, "/danh-muc/cuoi"));
  data.set("all_url", link(language, "/tim"));
  Data collections(Data::type::list);
  for (std::size_t at = 0; at < snapshot->collections.size(); ++at) {
    const auto& collection = snapshot->collections[at];
    Data item;
    item.set("name", collection.name.in(language));
    item.set("story", collection.story.in(language));
    item.set("url", link(language, "/bo-suu-tap/" + collection.slug));
    const auto of_it = std::find_if(snapshot->products.begin(), snapshot->products.end(),
                                    [at](const Product& each) { return each.collection == at; });
    if (of_it != snapshot->products.end()) item.set("picture", picture(*of_it, of_it->variants.front()));
    collections.push_back(item);
  }
  data.set("collections", collections);
  return view_.page(request, *snapshot, "home", std::move(data));
}

Response CataloguePages::list(const Request& request, const Snapshot& snapshot, catalogue::Wish wish,
                              Data data) {
  const auto language = request.language;
  const auto found = catalogue::browse(snapshot, wish);
  data.set("products", cards(found.products, language));
  data.set("total", core::format_number(static_cast<std::int64_t>(found.total), language));
  data.set("none", found.total == 0);
  data.set("purities", options(purity_options(language), wish.purity));
  data.set("stones", options(stone_options(language), wish.stone));
  data.set("orders", options(order_options(language), catalogue::order_code(wish.order)));
  data.set("from", std::string(request.param("gia-tu")));
  data.set("to", std::string(request.param("gia-den")));
  data.set("clear_url", link(language, request.path));
  data.set("paged", found.pages > 1);
  data.set("page", std::to_string(found.page) + " / " + std::to_string(found.pages));
  if (found.page > 1) data.set("previous_url", page_url(request, found.page - 1));
  if (found.page < found.pages) data.set("next_url", page_url(request, found.page + 1));
  return view_.page(request, snapshot, "list", std::move(data));
}

Response CataloguePages::category(const Request& request) {
  const auto snapshot = snapshots_.current();
  const auto* category = snapshot->find_category(request.capture("slug"));
  if (!category) throw Refusal(Refusal::Kind::kNotFound, "page_not_found");
  auto wish = read_wish(request);
  wish.category = category->slug;
  Data data;
  data.set("title", category->name.in(request.language));
  return list(request, *snapshot, std::move(wish), std::move(data));
}

Response CataloguePages::collection(const Request& request) {
  const auto snapshot = snapshots_.current();
  const auto* collection = snapshot->find_collection(request.capture("slug"));
  if (!collection) throw Refusal(Refusal::Kind::kNotFound, "page_not_found");
  auto wish = read_wish(request);
  wish.collection = collection->slug;
  Data data;
  data.set("title", collection->name.in(request.language));
  data.set("story", collection->story.in(request.language));
  return list(request, *snapshot, std::move(wish), std::move(data));
}

Response CataloguePages::search(const Request& request) {
  const auto snapshot = snapshots_.current();
  auto wish = read_wish(request);
  Data data;
  const auto key = wish.words.empty() ? "all_products" : "results_for";
  auto title = std::string(text(key, request.language));
  if (!wish.words.empty()) title += " “" + wish.words + "”";
  data.set("title", title);
  return list(request, *snapshot, std::move(wish), std::move(data));
}

Response CataloguePages::product(const Request& request) {
  const auto snapshot = snapshots_.current();
  const auto* product = snapshot->find(request.capture("slug"));
  if (!product) throw Refusal(Refusal::Kind::kNotFound, "product_not_found");
  const auto language = request.language;
  const auto& variant = chosen_variant(*product, request.param("ma"));
  const auto& category = snapshot->categories[product->category];
  Data data;
  data.set("title", product->name.in(language));
  data.set("description", product->description.in(language));
  data.set("category", category.name.in(language));
  data.set("category_url", link(language, "/danh-muc/" + category.slug));
  data.set("url", link(language, request.path));
  data.set("picture", picture(*product, variant));
  data.set("sku", variant.sku);
  data.set("purity", std::string(variant.purity->name(language)));
  data.set("colour", std::string(text("colour_" + variant.colour, language)));
  data.set("grams", core::format_grams(variant.weight, language));
  data.set("chi", core::format_chi(variant.weight, language));
  data.set("size", variant.size);
  data.set("has_size", !variant.size.empty());
  data.set("is_ring", product->design == "band" || category.slug == "nhan");
  data.set("price", core::format(variant.price.total, language));
  data.set("parts", price_rows(variant, language));
  data.set("has_stones", !variant.stones.empty());
  data.set("stones", stones_of(variant, language));
  std::vector<Option> variants;
  for (const auto& each : product->variants)
    variants.push_back(
        {each.sku, variant_name(each, language) + " — " + core::format(each.price.total, language)});
  data.set("variants", options(variants, variant.sku));
  data.set("several", variants.size() > 1);
  data.set("related", cards(related_to(*product, *snapshot), language));
  return view_.page(request, *snapshot, "product", std::move(data));
}

}  // namespace shop::web
