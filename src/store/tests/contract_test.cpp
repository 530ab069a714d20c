// What every engine of the store promises, said once and asked of each.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/error.h"
#include "io/file.h"
#include "store/limits.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"
#include "store/tests/fixture.h"

namespace sampan::store {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

struct Engine {
  const char* name;
  std::unique_ptr<Store> (*open)(const std::filesystem::path& directory,
                                 boost::asio::any_io_executor control);
  bool durable;
};

const Engine kMemory{"memory", [](const auto&, auto control) { return make_memory_store(control); }, false};
const Engine kSqlite{
    "sqlite",
    [](const auto& directory, auto control) { return open_sqlite_store(directory / "s.db", control); }, true};

class StoreContract : public testing::TestWithParam<Engine> {
 protected:
  StoreContract() { open(); }
  void open() {
    store_.reset();
    store_ = GetParam().open(directory_.path(), control_.executor());
  }
  CommitResult commit(Transaction transaction) {
    return control_.run(store_->commit(std::move(transaction)));
  }
  std::string value(std::string_view key) {
    auto found = store_->get(key);
    return found ? found->value : "(absent)";
  }

  io::TemporaryDirectory directory_;
  Control control_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreContract, BeginsEmptyAtRevisionZero) {
  EXPECT_EQ(store_->revision(), 0);
  EXPECT_FALSE(store_->get("a"));
  EXPECT_TRUE(store_->range("").empty());
}

TEST_P(StoreContract, RevisionsGrowByOneATransactionAndStandInTheRows) {
  EXPECT_EQ(commit(writes({put("a", "1"), put("b", "1")})).revision, 1);
  EXPECT_EQ(commit(writes({put("a", "2")})).revision, 2);
  EXPECT_EQ(store_->get("a")->created, 1);
  EXPECT_EQ(store_->get("a")->modified, 2);
  EXPECT_EQ(store_->get("b")->modified, 1);
  EXPECT_EQ(store_->revision(), 2);
}

TEST_P(StoreContract, KeyMadeAgainIsNew) {
  commit(writes({put("a", "1")}));
  commit(writes({erase("a")}));
  EXPECT_FALSE(store_->get("a"));
  commit(writes({put("a", "2")}));
  EXPECT_EQ(store_->get("a")->created, 3);
}

TEST_P(StoreContract, TransactionWithoutEffectKeepsTheRevision) {
  commit(writes({put("a", "1")}));
  auto result = commit(writes({erase("absent")}));
  EXPECT_TRUE(result.succeeded);
  EXPECT_EQ(result.revision, 1);
  EXPECT_TRUE(commit({{{"a", 1}}, {}}).succeeded);
  EXPECT_EQ(store_->revision(), 1);
}

TEST_P(StoreContract, LastWriteOfAKeyCounts) {
  commit(writes({put("a", "1"), erase("a"), put("a", "3")}));
  EXPECT_EQ(value("a"), "3");
}

TEST_P(StoreContract, KeepsBytesAsTheyAre) {
  const std::string odd("\0\xff\n'\"", 5);
  commit(writes({put(odd, odd), put("empty", "")}));
  open();
  if (!GetParam().durable) return;
  EXPECT_EQ(value(odd), odd);
  EXPECT_EQ(value("empty"), "");
}

TEST_P(StoreContract, WritesNothingWhenACompareFails) {
  commit(writes({put("a", "1")}));
  EXPECT_TRUE(commit({{{"a", 1}, {"b", 0}}, {put("a", "2")}}).succeeded);
  for (const Compare& stale : {Compare{"a", 1}, Compare{"a", 0}, Compare{"b", 7}}) {
    auto result = commit({{{"a", 2}, stale}, {put("a", "3"), put("b", "3")}});
    EXPECT_FALSE(result.succeeded);
    EXPECT_EQ(result.revision, 2);
  }
  EXPECT_EQ(value("a"), "2");
  EXPECT_EQ(value("b"), "(absent)");
}

TEST_P(StoreContract, CompareSeesWhatIsNotDurableYet) {
  auto first = control_.start(store_->commit({{{"a", 0}}, {put("a", "1")}}));
  auto second = control_.start(store_->commit({{{"a", 0}}, {put("a", "2")}}));
  EXPECT_TRUE(commit({{{"a", 1}}, {put("a", "3")}}).succeeded);
  EXPECT_TRUE(first.get().succeeded);
  EXPECT_FALSE(second.get().succeeded);
  EXPECT_EQ(value("a"), "3");
}

TEST_P(StoreContract, RangesAreOrderedAndBounded) {
  commit(writes({put("/a/1", ""), put("/a/3", ""), put("/a/2", ""), put("/b/1", ""), put("/a", "")}));
  auto keys = [&](std::string_view prefix, std::string_view start = {}, std::size_t limit = 0) {
    std::vector<std::string> found;
    for (const auto& row : store_->range(prefix, start, limit)) found.push_back(row.key);
    return found;
  };
  EXPECT_THAT(keys("/a/"), ElementsAre("/a/1", "/a/2", "/a/3"));
  EXPECT_THAT(keys("/a/", "/a/2"), ElementsAre("/a/2", "/a/3"));
  EXPECT_THAT(keys("/a/", "/a/15", 1), ElementsAre("/a/2"));
  EXPECT_THAT(keys("/a/", "/b/"), ElementsAre());
  EXPECT_THAT(keys("/a/", "", 2), ElementsAre("/a/1", "/a/2"));
  EXPECT_EQ(keys("").size(), 5u);
}

TEST_P(StoreContract, WatchersHearEveryTransactionInOrderWithBeforeAndAfter) {
  std::vector<std::string> heard;
  auto describe = [](const std::optional<KeyValue>& row) { return row ? row->value : std::string("-"); };
  auto id = store_->watch("/a/", [&](const std::vector<Change>& changes) {
    std::string line;
    for (const auto& change : changes) {
      line += fmt::format("{}:{}>{} ", change.key, describe(change.before), describe(change.after));
    }
    heard.push_back(line);
  });
  commit(writes({put("/a/2", "x"), put("/a/1", "x"), put("/b/1", "x")}));
  commit(writes({put("/b/1", "y")}));
  commit(writes({put("/a/1", "y"), erase("/a/2")}));
  store_->unwatch(id);
  commit(writes({put("/a/1", "z")}));
  EXPECT_THAT(heard, ElementsAre("/a/1:->x /a/2:->x ", "/a/1:x>y /a/2:x>- "));
}

TEST_P(StoreContract, WatcherIsToldBeforeCommitReturnsAndSeesTheNewState) {
  std::vector<std::string> order;
  store_->watch("", [&](const std::vector<Change>& changes) {
    order.push_back("watch " + store_->get(changes[0].key)->value);
  });
  commit(writes({put("a", "1")}));
  order.push_back("returned");
  EXPECT_THAT(order, ElementsAre("watch 1", "returned"));
}

TEST_P(StoreContract, WatcherMayLeaveAndOthersJoinWhileTold) {
  int left = 0, joined = 0;
  WatchId id = 0;
  id = store_->watch("", [&](const auto&) {
    ++left;
    store_->unwatch(id);
    store_->watch("", [&](const auto&) { ++joined; });
  });
  commit(writes({put("a", "1")}));
  commit(writes({put("a", "2")}));
  EXPECT_EQ(left, 1);
  EXPECT_EQ(joined, 1);
}

TEST_P(StoreContract, TakesWhatIsAtTheLimitAndRefusesWhatIsOver) {
  const std::string key(kKeyLimit, 'k'), big(kValueLimit, 'v');
  EXPECT_TRUE(commit(writes({put(key, big)})).succeeded);
  auto refused = [&](Transaction transaction) {
    try {
      commit(std::move(transaction));
      return std::string("taken");
    } catch (const core::Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(refused(writes({put(key + "k", "")})), HasSubstr("at most 1024"));
  EXPECT_THAT(refused(writes({put("", "")})), HasSubstr("without a key"));
  EXPECT_THAT(refused(writes({put("a", big + "v")})), HasSubstr("at most 1572864"));
  EXPECT_THAT(refused({{{key + "k", 0}}, {}}), HasSubstr("at most 1024"));

  Transaction many;
  for (std::size_t i = 0; i < kOperationLimit; ++i) many.writes.push_back(put(fmt::format("m{}", i), "v"));
  EXPECT_TRUE(commit(many).succeeded);
  many.writes.push_back(put("one more", "v"));
  EXPECT_THAT(refused(many), HasSubstr("at most 1000"));
  EXPECT_EQ(store_->revision(), 2);
}

// Times here are real. They are long enough for a slow disk on a busy machine, and no test waits for more
// than one.
TEST_P(StoreContract, KeysGoWithTheirLease) {
  int told = 0;
  store_->watch("held", [&](const auto& changes) { told += changes[0].after ? 0 : 1; });
  auto lease = control_.run(store_->grant_lease(milliseconds(700)));
  commit(writes({put("held", "1", lease), put("free", "1"), put("taken back", "1", lease)}));
  commit(writes({put("taken back", "2")}));  // a write without the lease ends its hold
  control_.run_until([&] { return !store_->get("held"); });
  EXPECT_EQ(told, 1);
  EXPECT_EQ(value("free"), "1");
  EXPECT_EQ(value("taken back"), "2");
  EXPECT_FALSE(control_.run(store_->keep_alive(lease)));
  EXPECT_THROW(commit(writes({put("late", "1", lease)})), core::Error);
}

TEST_P(StoreContract, KeptLeaseLivesBeyondItsTime) {
  auto kept = control_.run(store_->grant_lease(milliseconds(600)));
  auto dropped = control_.run(store_->grant_lease(milliseconds(700)));
  commit(writes({put("kept", "1", kept), put("dropped", "1", dropped)}));
  while (store_->get("dropped")) ASSERT_TRUE(control_.run(store_->keep_alive(kept)));
  EXPECT_TRUE(store_->get("kept"));
}

TEST_P(StoreContract, RevokedLeaseTakesItsKeysAtOnce) {
  auto lease = control_.run(store_->grant_lease(std::chrono::hours(1)));
  commit(writes({put("a", "1", lease), put("b", "1", lease)}));
  auto before = store_->revision();
  control_.run(store_->revoke_lease(lease));
  EXPECT_TRUE(store_->range("").empty());
  EXPECT_EQ(store_->revision(), before + 1);
  control_.run(store_->revoke_lease(lease));  // again: nothing
  EXPECT_THROW(control_.run(store_->grant_lease(milliseconds(0))), core::Error);
}

// Random transactions against a plain map that does the same in the simplest way.
TEST_P(StoreContract, BehavesAsTheSimplestModelDoes) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  auto pick = [&](unsigned n) { return static_cast<int>(random() % n); };
  std::map<std::string, std::pair<std::string, Revision>> model, watched;
  Revision revision = 0;
  store_->watch("/", [&](const std::vector<Change>& changes) {
    for (const auto& change : changes) {
      auto known = watched.find(change.key);
      ASSERT_EQ(known != watched.end(), change.before.has_value());
      if (known != watched.end()) ASSERT_EQ(known->second.first, change.before->value);
      watched.erase(change.key);
      if (change.after) watched[change.key] = {change.after->value, change.after->modified};
    }
  });
  const int steps = GetParam().durable ? 300 : 3000;  // the disk's flushes take their time
  for (int step = 0; step < steps; ++step) {
    Transaction transaction;
    bool holds = true;
    for (int i = pick(3); i > 0; --i) {
      auto key = fmt::format("/{}", pick(20));
      Revision now = model.contains(key) ? model[key].second : 0;
      Revision given = pick(6) == 0 ? pick(50) : now;
      holds = holds && given == now;
      transaction.compares.push_back({key, given});
    }
    std::map<std::string, std::optional<std::string>> last;
    for (int i = pick(5); i > 0; --i) {
      auto key = fmt::format("/{}", pick(20));
      std::optional<std::string> text;
      if (pick(3) != 0) text = fmt::format("v{}", step);
      transaction.writes.push_back({key, text, 0});
      last[key] = text;
    }
    bool wrote = false;
    if (holds) {
      for (const auto& [key, text] : last) wrote = wrote || text || model.contains(key);
      revision += wrote;
      for (const auto& [key, text] : last) {
        model.erase(key);
        if (text) model[key] = {*text, revision};
      }
    }
    auto result = commit(transaction);
    ASSERT_EQ(result.succeeded, holds);
    ASSERT_EQ(result.revision, revision);
  }
  auto check = [&] {
    std::map<std::string, std::pair<std::string, Revision>> stored;
    for (const auto& row : store_->range("/")) stored[row.key] = {row.value, row.modified};
    EXPECT_EQ(stored, model);
    EXPECT_EQ(store_->revision(), revision);
  };
  check();
  EXPECT_EQ(watched, model);
  if (!GetParam().durable) return;
  open();
  check();
}

INSTANTIATE_TEST_SUITE_P(Engines, StoreContract, testing::Values(kMemory, kSqlite),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace sampan::store
