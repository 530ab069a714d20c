#include "catalogue/snapshot.h"

#include <algorithm>

#include "core/text.h"

namespace shop::catalogue {
namespace {

constexpr std::chrono::milliseconds kLookAgain{250};

template <class Item>
const Item* find_by_slug(const std::vector<Item>& items, std::string_view slug) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.slug == slug; });
  return found == items.end() ? nullptr : &*found;
}

std::map<std::int64_t, std::vector<Stone>> load_stones(db::Database& database) {
  std::map<std::int64_t, std::vector<Stone>> stones;
  for (const auto& row : database.query("SELECT variant_id, kind, pieces, carat_thousandths, certificate, "
                                        "price FROM stones ORDER BY id")) {
    Stone stone{
        row.text(1), static_cast<int>(row.number(2)), static_cast<int>(row.number(3)), {}, row.money(5)};
    if (!row.is_null(4)) stone.certificate = row.text(4);
    stones[row.number(0)].push_back(std::move(stone));
  }
  return stones;
}

std::map<std::int64_t, std::vector<Variant>> load_variants(db::Database& database,
                                                           const pricing::RateTable& rates) {
  auto stones = load_stones(database);
  std::map<std::int64_t, std::vector<Variant>> variants;
  for (const auto& row : database.query("SELECT product_id, id, sku, size, purity, colour, weight_mg, "
                                        "making_charge FROM variants ORDER BY product_id, position, id")) {
    Variant variant{row.number(1),
                    row.text(2),
                    row.text(3),
                    pricing::find_purity(row.text(4)),
                    row.text(5),
                    core::Milligrams(row.number(6)),
                    std::move(stones[row.number(1)]),
                    {}};
    const auto rate = rates.find(row.text(4));
    if (!variant.purity || rate == rates.end()) continue;  // no rate, no price, no sale
    core::Dong of_stones;
    for (const auto& stone : variant.stones) of_stones += stone.price;
    variant.price = pricing::price({variant.weight, rate->second.sell_per_chi, row.money(7), of_stones});
    variants[row.number(0)].push_back(std::move(variant));
  }
  return variants;
}

std::string search_text(const Product& product, const Snapshot& snapshot) {
  auto text = product.name.vi + ' ' + product.name.en + ' ' + snapshot.categories[product.category].name.vi +
              ' ' + snapshot.categories[product.category].name.en;
  if (product.collection) text += ' ' + snapshot.collections[*product.collection].name.vi;
  for (const auto& variant : product.variants) {
    text += ' ' + variant.sku + ' ' + std::string(variant.purity->name_vi) + ' ' +
            std::string(variant.purity->name_en);
    for (const auto& stone : variant.stones) text += ' ' + stone.kind;
  }
  return core::fold(text);
}

template <class Item>
std::map<std::int64_t, std::size_t> places(const std::vector<Item>& items) {
  std::map<std::int64_t, std::size_t> by_id;
  for (std::size_t at = 0; at < items.size(); ++at) by_id[items[at].id] = at;
  return by_id;
}

void load_products(db::Database& database, Snapshot& snapshot) {
  auto variants = load_variants(database, snapshot.rates);
  const auto categories = places(snapshot.categories);
  const auto collections = places(snapshot.collections);
  const auto rows = database.query(
      "SELECT id, slug, category_id, collection_id, name_vi, name_en, description_vi, description_en, "
      "design, created_at "
      "FROM products WHERE hidden = 0 ORDER BY created_at DESC, id DESC");
  for (const auto& row : rows) {
    const auto found = variants.find(row.number(0));
    if (found == variants.end()) continue;
    Product product{row.number(0),
                    row.text(1),
                    categories.at(row.number(2)),
                    {},
                    {row.text(4), row.text(5)},
                    {row.text(6), row.text(7)},
                    row.text(8),
                    row.time(9),
                    std::move(found->second),
                    {}};
    if (!row.is_null(3)) product.collection = collections.at(row.number(3));
    product.search_text = search_text(product, snapshot);
    snapshot.by_slug.emplace(product.slug, snapshot.products.size());
    snapshot.products.push_back(std::move(product));
  }
}

}  // namespace

const Variant& Product::cheapest() const {
  return *std::min_element(variants.begin(), variants.end(),
                           [](const Variant& a, const Variant& b) { return a.price.total < b.price.total; });
}

const Product* Snapshot::find(std::string_view slug) const {
  const auto found = by_slug.find(slug);
  return found == by_slug.end() ? nullptr : &products[found->second];
}

const Category* Snapshot::find_category(std::string_view slug) const {
  return find_by_slug(categories, slug);
}

const Collection* Snapshot::find_collection(std::string_view slug) const {
  return find_by_slug(collections, slug);
}

Snapshot load(db::Database& database, core::TimePoint now) {
  Snapshot snapshot;
  snapshot.rates = pricing::Rates(database).current(now);
  for (const auto& row :
       database.query("SELECT id, slug, name_vi, name_en FROM categories ORDER BY position, id")) {
    snapshot.categories.push_back({row.number(0), row.text(1), {row.text(2), row.text(3)}});
  }
  for (const auto& row : database.query(
           "SELECT id, slug, name_vi, name_en, story_vi, story_en FROM collections ORDER BY position, id")) {
    snapshot.collections.push_back(
        {row.number(0), row.text(1), {row.text(2), row.text(3)}, {row.text(4), row.text(5)}});
  }
  load_products(database, snapshot);
  return snapshot;
}

std::int64_t Snapshots::revision() const {
  const auto row = database_.query_one("SELECT number FROM revisions WHERE name = 'catalogue'");
  return row ? row->number(0) : 0;
}

bool Snapshots::begins_to_count(core::TimePoint now) const {
  return next_rate_ != core::TimePoint() && next_rate_ <= now;
}

std::shared_ptr<const Snapshot> Snapshots::current() {
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (snapshot_ && now - looked_ < kLookAgain && !begins_to_count(now)) return snapshot_;
  const auto revision = this->revision();
  if (!snapshot_ || revision != revision_ || begins_to_count(now)) {
    snapshot_ = std::make_shared<const Snapshot>(load(database_, now));
    const auto next =
        database_.query_one("SELECT MIN(valid_from) FROM metal_rates WHERE valid_from > $1", {now});
    next_rate_ = next && !next->is_null(0) ? next->time(0) : core::TimePoint();
    revision_ = revision;
  }
  looked_ = now;
  return snapshot_;
}

}  // namespace shop::catalogue
