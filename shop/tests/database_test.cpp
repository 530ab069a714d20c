#include <future>

#include "core/error.h"
#include "pricing/rates.h"
#include "world.h"

namespace shop {
namespace {

using DatabaseTest = World;
INSTANTIATE_TEST_SUITE_P(Both, DatabaseTest, ::testing::Values(db::Engine::kSqlite, db::Engine::kPostgres),
                         engine_name);

TEST_P(DatabaseTest, GivesBackWhatItWasGiven) {
  database->execute("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT, size BIGINT)");
  EXPECT_EQ(database->execute("INSERT INTO things (id, name, size) VALUES ($1, $2, $3)",
                              {1, "Nhẫn 'cưới'; --", nullptr}),
            1U);
  database->execute("INSERT INTO things (id, name, size) VALUES ($1, $2, $3)", {2, nullptr, INT64_MAX});
  const auto rows = database->query("SELECT id, name, size FROM things ORDER BY id");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].text(1), "Nhẫn 'cưới'; --");
  EXPECT_TRUE(rows[0].is_null(2));
  EXPECT_TRUE(rows[1].is_null(1));
  EXPECT_EQ(rows[1].number(2), INT64_MAX);
  EXPECT_THROW(database->execute("INSERT INTO things (id) VALUES ($1)", {1}), db::Conflict);
  EXPECT_EQ(database->execute("UPDATE things SET size = $1 WHERE id = $2 AND size = $3", {5, 1, 4}), 0U);
}

TEST_P(DatabaseTest, ATransactionIsAllOrNothing) {
  database->execute("CREATE TABLE things (id BIGINT PRIMARY KEY)");
  EXPECT_THROW(database->transact([](db::Connection& connection) {
    connection.execute("INSERT INTO things (id) VALUES (1)");
    throw std::runtime_error("changed my mind");
  }),
               std::runtime_error);
  EXPECT_TRUE(database->query("SELECT id FROM things").empty());
}

// What is read and then written from many threads at once counts every time.
TEST_P(DatabaseTest, ConcurrentTransactionsLoseNothing) {
  database->execute("CREATE TABLE counters (id BIGINT PRIMARY KEY, number BIGINT NOT NULL)");
  database->execute("INSERT INTO counters (id, number) VALUES (1, 0)");
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  std::vector<std::future<void>> workers;
  for (int i = 0; i < kThreads; ++i) {
    workers.push_back(std::async(std::launch::async, [this] {
      for (int n = 0; n < kEach; ++n) {
        database->transact([](db::Connection& connection) {
          const auto before = connection.query_one("SELECT number FROM counters WHERE id = 1")->number(0);
          connection.execute("UPDATE counters SET number = $1 WHERE id = 1", {before + 1});
        });
      }
    }));
  }
  for (auto& worker : workers) worker.get();
  EXPECT_EQ(database->query_one("SELECT number FROM counters")->number(0), kThreads * kEach);
}

TEST_P(DatabaseTest, MigrationsRunOnceEvenWhenTwoStartTogether) {
  EXPECT_FALSE(db::is_migrated(*database));
  auto other = std::async(std::launch::async, [this] { return db::migrate(*database).size(); });
  const auto here = db::migrate(*database).size();
  EXPECT_EQ(here + other.get(), db::all_migrations().size());
  EXPECT_TRUE(db::is_migrated(*database));
  EXPECT_TRUE(db::migrate(*database).empty());
}

TEST_P(DatabaseTest, TheFirstStockIsPutInOnce) {
  stock();
  EXPECT_FALSE(seed::fill(*database, clock.now()));
  EXPECT_GE(database->query("SELECT id FROM products").size(), 60U);
}

TEST_P(DatabaseTest, TheLastRateThatIsNotInTheFutureCounts) {
  stock();
  pricing::Rates rates(*database);
  const auto now = clock.now();
  rates.set({{"gold-750", core::Dong(11'000'000), core::Dong(10'500'000), now, "test"}});
  rates.set(
      {{"gold-750", core::Dong(12'000'000), core::Dong(11'500'000), now + std::chrono::hours(1), "test"}});
  EXPECT_EQ(rates.current(now).at("gold-750").sell_per_chi, core::Dong(11'000'000));
  EXPECT_EQ(rates.current(now + std::chrono::hours(1)).at("gold-750").sell_per_chi, core::Dong(12'000'000));
  EXPECT_EQ(rates.history("gold-750", 10).size(), 3U);
  EXPECT_THROW(rates.set({{"gold-750", core::Dong(10), core::Dong(11), now, "test"}}), core::Refusal);
  EXPECT_THROW(rates.set({{"brass", core::Dong(10), core::Dong(9), now, "test"}}), core::Refusal);
}

}  // namespace
}  // namespace shop
