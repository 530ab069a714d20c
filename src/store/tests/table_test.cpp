#include "store/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory_store.h"
#include "store/tests/fixture.h"

namespace sampan::store {

struct Pet {
  std::string name;
  int age = 0;
};

template <>
struct RowCodec<Pet> {
  static std::string encode(const Pet& pet) { return pet.name + ":" + std::to_string(pet.age); }
  static Pet decode(std::string_view row) {
    auto colon = row.find(':');
    return {std::string(row.substr(0, colon)), std::stoi(std::string(row.substr(colon + 1)))};
  }
};

namespace {

using testing::ElementsAre;

// A store whose compares fail now and then, as etcd's do when another machine was faster.
class Contended final : public Store {
 public:
  Contended(
      Store& inner, int failures, std::function<void()> meanwhile = [] {})
      : inner_(inner), failures_(failures), meanwhile_(std::move(meanwhile)) {}
  boost::asio::awaitable<CommitResult> commit(Transaction transaction) override {
    ++commits;
    if (failures_-- > 0) {
      meanwhile_();
      co_return CommitResult{false, inner_.revision()};
    }
    co_return co_await inner_.commit(std::move(transaction));
  }
  std::optional<KeyValue> get(std::string_view key) const override { return inner_.get(key); }
  std::vector<KeyValue> range(std::string_view prefix, std::string_view start,
                              std::size_t limit) const override {
    return inner_.range(prefix, start, limit);
  }
  const Keyspace& keyspace() const override { return inner_.keyspace(); }
  Revision revision() const override { return inner_.revision(); }
  WatchId watch(std::string prefix, Watcher watcher) override { return inner_.watch(prefix, watcher); }
  void unwatch(WatchId id) override { inner_.unwatch(id); }
  void after_this(std::function<void()> work) override { inner_.after_this(std::move(work)); }
  boost::asio::awaitable<LeaseId> grant_lease(std::chrono::milliseconds ttl) override {
    return inner_.grant_lease(ttl);
  }
  boost::asio::awaitable<bool> keep_alive(LeaseId lease) override { return inner_.keep_alive(lease); }
  boost::asio::awaitable<void> revoke_lease(LeaseId lease) override { return inner_.revoke_lease(lease); }

  int commits = 0;

 private:
  Store& inner_;
  int failures_;
  std::function<void()> meanwhile_;
};

class TableTest : public testing::Test {
 protected:
  void put_pet(const std::string& key, Pet pet) {
    control_.run(transact(*store_, [&](Txn& tx) { tx.put(pets_, key, pet); }));
  }
  Control control_;
  std::unique_ptr<Store> store_ = make_memory_store(control_.executor());
  Table<Pet> pets_{*store_, "/pets/"};
};

TEST_F(TableTest, FollowsTheStore) {
  put_pet("rex", {"Rex", 3});
  ASSERT_NE(pets_.find("rex"), nullptr);
  EXPECT_EQ(pets_.find("rex")->age, 3);
  EXPECT_EQ(pets_.find_row("rex")->modified, 1);
  put_pet("rex", {"Rex", 4});
  EXPECT_EQ(pets_.find_row("rex")->created, 1);
  control_.run(transact(*store_, [&](Txn& tx) { tx.erase(pets_, "rex"); }));
  EXPECT_EQ(pets_.size(), 0u);
}

TEST_F(TableTest, ReadsWhatIsThereAlready) {
  put_pet("rex", {"Rex", 3});
  Table<Pet> later(*store_, "/pets/");
  EXPECT_EQ(later.find("rex")->name, "Rex");
}

TEST_F(TableTest, ListenersHearBeforeAndAfter) {
  std::vector<std::string> heard;
  pets_.on_change([&](const std::string& key, const Pet* before, const Pet* after) {
    heard.push_back(key + " " + (before ? std::to_string(before->age) : "-") + ">" +
                    (after ? std::to_string(after->age) : "-"));
  });
  put_pet("a", {"A", 1});
  put_pet("a", {"A", 2});
  control_.run(transact(*store_, [&](Txn& tx) { tx.erase(pets_, "a"); }));
  EXPECT_THAT(heard, ElementsAre("a ->1", "a 1>2", "a 2>-"));
}

TEST_F(TableTest, TransactionReadsItsOwnWritesAndGivesABodysResult) {
  put_pet("a", {"A", 1});
  int seen = control_.run(transact(*store_, [&](Txn& tx) {
    auto pet = *tx.get(pets_, "a");
    tx.put(pets_, "a", Pet{"A", pet.age + 1});
    tx.put(pets_, "b", *tx.get(pets_, "a"));
    tx.erase(pets_, "a");
    EXPECT_FALSE(tx.get(pets_, "a"));
    return tx.get(pets_, "b")->age;
  }));
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(pets_.find("a"), nullptr);
  EXPECT_EQ(pets_.find("b")->age, 2);
  EXPECT_EQ(store_->revision(), 2);
}

TEST_F(TableTest, ThrowingBodyWritesNothing) {
  EXPECT_THROW(control_.run(transact(*store_,
                                     [&](Txn& tx) {
                                       tx.put(pets_, "a", Pet{"A", 1});
                                       throw std::invalid_argument("no");
                                     })),
               std::invalid_argument);
  EXPECT_EQ(store_->revision(), 0);
}

TEST_F(TableTest, BodyWithoutWritesCommitsNothing) {
  Contended counted(*store_, 0);
  EXPECT_EQ(control_.run(transact(counted, [&](Txn& tx) { return tx.get(pets_, "a").has_value(); })), false);
  EXPECT_EQ(counted.commits, 0);
}

TEST_F(TableTest, RunsTheBodyAgainWhenTheRowChangedMeanwhile) {
  put_pet("a", {"A", 1});
  int runs = 0;
  Contended contended(*store_, kTransactTries - 1);
  control_.run(transact(contended, [&](Txn& tx) {
    ++runs;
    tx.put(pets_, "a", Pet{"A", tx.get(pets_, "a")->age + 1});
  }));
  EXPECT_EQ(runs, kTransactTries);
  EXPECT_EQ(pets_.find("a")->age, 2);
}

TEST_F(TableTest, GivesUpAfterSixteenTries) {
  Contended contended(*store_, kTransactTries);
  EXPECT_THROW(control_.run(transact(contended, [&](Txn& tx) { tx.put(pets_, "a", Pet{"A", 1}); })),
               Conflict);
  EXPECT_EQ(contended.commits, kTransactTries);
  EXPECT_EQ(store_->revision(), 0);
}

TEST_F(TableTest, CounterLosesNoIncrementAmongManyWriters) {
  put_pet("n", {"N", 0});
  std::vector<std::future<void>> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(control_.start(
        transact(*store_, [this](Txn& tx) { tx.put(pets_, "n", Pet{"N", tx.get(pets_, "n")->age + 1}); })));
  }
  put_pet("last", {"", 0});
  for (auto& one : all) one.get();
  EXPECT_EQ(pets_.find("n")->age, 100);
}

}  // namespace
}  // namespace sampan::store
