// The whole shop window at one moment, in memory: read by every page, changed by none.
//
// Snapshots gives the present one: it asks the database at most every quarter of a second whether something
// changed, and reads all anew only then (or when a rate that was set for later begins to count). Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "catalogue/product.h"
#include "db/database.h"
#include "pricing/rates.h"

namespace shop::catalogue {

struct Snapshot {
  std::vector<Category> categories;
  std::vector<Collection> collections;
  std::vector<Product> products;  // newest first; only what is shown and can be priced
  pricing::RateTable rates;
  std::map<std::string, std::size_t, std::less<>> by_slug;

  const Product* find(std::string_view slug) const;
  const Category* find_category(std::string_view slug) const;
  const Collection* find_collection(std::string_view slug) const;
};

Snapshot load(db::Database& database, core::TimePoint now);

class Snapshots {
 public:
  Snapshots(db::Database& database, const core::Clock& clock) : database_(database), clock_(clock) {}
  std::shared_ptr<const Snapshot> current();

 private:
  std::int64_t revision() const;
  bool begins_to_count(core::TimePoint now) const;

  db::Database& database_;
  const core::Clock& clock_;
  std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::int64_t revision_ = -1;
  core::TimePoint looked_{};
  core::TimePoint next_rate_{};  // when a rate set for later begins to count
};

}  // namespace shop::catalogue
