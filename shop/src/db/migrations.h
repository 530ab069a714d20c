// Versioned migrations: migrations/NNNN_name.sql, part of the program. Each runs once, in order, in a
// transaction with the row that remembers it; two that start together do not disturb each other.
//
// One text serves both databases; two words differ: {identity} (a key that counts by itself) and {blob}. What
// only one of them understands begins with {sqlite} or {postgres}; ";;" is a semicolon within a statement.
#pragma once

#include <string>
#include <vector>

#include "db/database.h"

namespace shop::db {

struct Migration {
  int version = 0;
  std::string name;
  std::string text;
};

// Those of the program, in order.
std::vector<Migration> all_migrations();
// The statements of a migration, in the engine's own words. Pure.
std::vector<std::string> statements_of(const Migration& migration, Engine engine);
// Those that ran now.
std::vector<std::string> migrate(Database& database);
// True when every migration of this program has run.
bool is_migrated(Database& database);

}  // namespace shop::db
