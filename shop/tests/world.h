// A database of its own for each test, on every engine that is at hand: SQLite always, PostgreSQL when
// SHOP_TEST_POSTGRES names a server ("host=… user=… dbname=…") in which schemas may be made.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/log.h"
#include "db/migrations.h"
#include "seed/seed.h"
#include "web/app.h"

namespace shop {

class TestClock final : public core::Clock {
 public:
  core::TimePoint now() const override { return time; }
  core::TimePoint time{std::chrono::hours(24) * 20'000};
};

class World : public ::testing::TestWithParam<db::Engine> {
 protected:
  void SetUp() override {
    core::log::quiet(true);
    if (GetParam() == db::Engine::kSqlite) {
      std::string name = (std::filesystem::temp_directory_path() / "shop-test-XXXXXX").string();
      directory_ = ::mkdtemp(name.data());
      database = std::make_unique<db::Database>("sqlite:" + (directory_ / "shop.db").string());
      return;
    }
    const char* server = std::getenv("SHOP_TEST_POSTGRES");
    if (!server) GTEST_SKIP() << "SHOP_TEST_POSTGRES names no PostgreSQL server";
    server_ = server;
    schema_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++count_);
    db::Database(server_, 1).execute("CREATE SCHEMA " + schema_);
    database = std::make_unique<db::Database>(server_ + " options=-csearch_path=" + schema_);
  }
  void TearDown() override {
    database.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
    if (!schema_.empty()) db::Database(server_, 1).execute("DROP SCHEMA " + schema_ + " CASCADE");
  }
  void stock() {
    db::migrate(*database);
    seed::fill(*database, clock.now());
  }

  TestClock clock;
  std::unique_ptr<db::Database> database;

 private:
  std::filesystem::path directory_;
  std::string server_;
  std::string schema_;
  inline static int count_ = 0;
};

inline std::string engine_name(const ::testing::TestParamInfo<db::Engine>& info) {
  return info.param == db::Engine::kSqlite ? "Sqlite" : "Postgres";
}

}  // namespace shop
