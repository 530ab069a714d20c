// The shop's first stock: categories, collections, about sixty products and a gold table, for a new database.
#pragma once

#include "core/clock.h"
#include "db/database.h"

namespace shop::seed {

// Fills a migrated database that has no product yet; false when it has some.
bool fill(db::Database& database, core::TimePoint now);

}  // namespace shop::seed
