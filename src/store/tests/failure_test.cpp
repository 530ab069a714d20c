// What a local store does when its disk refuses: with a journal that fails on demand, and with a real file
// that may not grow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "core/error.h"
#include "io/file.h"
#include "store/local_store.h"
#include "store/sqlite_store.h"
#include "store/tests/fixture.h"

namespace sampan::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Holds records until told to settle them.
class HeldJournal final : public Journal {
 public:
  Contents load() override { return {}; }
  void start(Teller tell) override { tell_ = std::move(tell); }
  void append(std::uint64_t ticket, std::shared_ptr<const Record>) override {
    if (!failed_) appended.push_back(ticket);
  }
  void resume() override { failed_ = false; }

  void succeed(std::uint64_t ticket) { tell_({ticket, {}}); }
  void fail_after(std::uint64_t ticket) {
    failed_ = true;
    tell_({ticket, "write state.db: no space left on device"});
  }
  std::vector<std::uint64_t> appended;

 private:
  Teller tell_;
  bool failed_ = false;
};

class FailingDisk : public testing::Test {
 protected:
  FailingDisk() {
    auto journal = std::make_unique<HeldJournal>();
    journal_ = journal.get();
    store_ = std::make_unique<LocalStore>(control_.executor(), std::move(journal));
  }
  std::future<CommitResult> begin(std::vector<Write> all) {
    auto result = control_.start(store_->commit(writes(std::move(all))));
    auto tickets = journal_->appended.size();
    control_.run_until([&] { return journal_->appended.size() > tickets; });
    return result;
  }
  template <class T>
  void finish(std::future<T>& result) {
    control_.run_until([&] { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  }
  std::string value(const std::string& key) {
    auto row = store_->get(key);
    return row ? row->value : "-";
  }

  Control control_;
  HeldJournal* journal_ = nullptr;
  std::unique_ptr<LocalStore> store_;
};

TEST_F(FailingDisk, CommitReturnsOnlyWhenDurable) {
  auto first = begin({put("a", "1")});
  auto second = begin({put("a", "2")});
  EXPECT_EQ(value("a"), "2");
  journal_->succeed(1);
  finish(first);
  EXPECT_EQ(second.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  journal_->succeed(2);
  finish(second);
  EXPECT_EQ(second.get().revision, 2);
}

TEST_F(FailingDisk, TakesBackAllThatIsNotDurableNewestFirst) {
  auto durable = begin({put("a", "0")});
  journal_->succeed(1);
  finish(durable);
  std::vector<std::string> heard;
  store_->watch("", [&](const std::vector<Change>& changes) {
    for (const auto& change : changes) {
      heard.push_back(change.key + (change.before ? change.before->value : "-") + ">" +
                      (change.after ? change.after->value : "-"));
    }
  });
  auto one = begin({put("a", "1"), put("b", "1")});
  auto two = begin({erase("a")});
  auto three = begin({put("a", "3")});
  journal_->fail_after(1);
  finish(one);
  finish(two);
  finish(three);
  EXPECT_THROW(one.get(), core::Error);
  EXPECT_THROW(two.get(), core::Error);
  EXPECT_THROW(three.get(), core::Error);
  EXPECT_THAT(heard, ElementsAre("a0>1", "b->1", "a1>-", "a->3",  //
                                 "a3>-", "a->1", "b1>-", "a1>0"));
  EXPECT_EQ(store_->get("a")->modified, 1);
  EXPECT_EQ(store_->range("").size(), 1u);
}

TEST_F(FailingDisk, DurablePartOfAFailureStays) {
  auto one = begin({put("a", "1")});
  auto two = begin({put("b", "2")});
  journal_->fail_after(1);
  finish(one);
  finish(two);
  EXPECT_TRUE(one.get().succeeded);
  EXPECT_THROW(two.get(), core::Error);
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(value("b"), "-");
}

TEST_F(FailingDisk, WhatCameBetweenFailureAndItsNewsIsTakenBackToo) {
  auto one = begin({put("a", "1")});
  journal_->fail_after(0);  // told, not heard yet
  auto late = control_.start(store_->commit({{{"a", 1}}, {put("a", "late")}}));
  finish(one);
  finish(late);
  EXPECT_THROW(one.get(), core::Error);
  EXPECT_ANY_THROW({
    if (!late.get().succeeded) throw core::Error("the compare failed: the row was gone already");
  });
  EXPECT_EQ(value("a"), "-");
}

TEST_F(FailingDisk, GoesOnAfterwardsAndNeverGivesARevisionTwice) {
  auto lost = begin({put("a", "1")});
  journal_->fail_after(0);
  finish(lost);
  auto next = begin({put("a", "2")});
  journal_->succeed(2);
  finish(next);
  EXPECT_EQ(next.get().revision, 2);
  EXPECT_EQ(store_->get("a")->modified, 2);
}

TEST_F(FailingDisk, LeaseThatWasNotStoredDoesNotLive) {
  auto lease = control_.start(store_->grant_lease(std::chrono::hours(1)));
  control_.run_until([&] { return !journal_->appended.empty(); });
  journal_->fail_after(0);
  finish(lease);
  EXPECT_THROW(lease.get(), core::Error);
  EXPECT_FALSE(control_.run(store_->keep_alive(1)));
}

TEST_F(FailingDisk, EndOfALeaseThatWasNotStoredIsTakenBackAndTriedAgain) {
  auto lease = control_.start(store_->grant_lease(std::chrono::milliseconds(300)));
  control_.run_until([&] { return !journal_->appended.empty(); });
  auto held = begin({put("a", "1", 1)});
  journal_->succeed(2);
  finish(held);
  control_.run_until([&] { return !store_->get("a"); });
  journal_->fail_after(2);
  control_.run_until([&] { return store_->get("a").has_value(); });
  control_.run_until([&] { return !store_->get("a"); });
  EXPECT_FALSE(control_.run(store_->keep_alive(1)));
}

// A real file on a file system of one megabyte.
class SmallDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "mounting a small tmpfs needs root";
    if (mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
      GTEST_SKIP() << "no tmpfs may be mounted here";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) umount2(directory_.path().c_str(), MNT_DETACH);
  }
  io::TemporaryDirectory directory_;
  bool mounted_ = false;
};

TEST_F(SmallDisk, SaysThatThereIsNoSpaceThenWorksOnWhenThereIs) {
  Control control;
  auto store = open_sqlite_store(directory_.path() / "s.db", control.executor());
  int kept = 0;
  std::string error;
  for (; kept < 1000 && error.empty(); ++kept) {
    try {
      control.run(store->commit(writes({put("k" + std::to_string(kept), std::string(50'000, 'v'))})));
    } catch (const core::Error& full) {
      error = full.what();
      --kept;
    }
  }
  EXPECT_THAT(error, HasSubstr("no space left on device: free some on the file system of " +
                               directory_.path().string()));
  EXPECT_EQ(store->range("").size(), static_cast<std::size_t>(kept));

  ASSERT_EQ(mount("tmpfs", directory_.path().c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
  control.run(store->commit(writes({put("after", "1")})));
  store.reset();
  store = open_sqlite_store(directory_.path() / "s.db", control.executor());
  EXPECT_EQ(store->range("").size(), static_cast<std::size_t>(kept) + 1);
}

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limited{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST(SqliteStore, WriteErrorTakesBackWholeBatchesAndMemoryAgreesWithDisk) {
  io::TemporaryDirectory directory;
  Control control;
  auto path = directory.path() / "s.db";
  auto store = open_sqlite_store(path, control.executor());
  std::vector<bool> kept;
  {
    FileSizeLimit limit(600'000);
    for (int round = 0; round < 20; ++round) {
      std::vector<std::future<CommitResult>> all;
      for (int i = 0; i < 8; ++i) {
        all.push_back(control.start(
            store->commit(writes({put("k" + std::to_string(round * 8 + i), std::string(9'000, 'v'))}))));
      }
      for (auto& one : all) {
        control.run_until([&] { return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
        try {
          one.get();
          kept.push_back(true);
        } catch (const core::Error&) {
          kept.push_back(false);
        }
      }
    }
  }
  EXPECT_THAT(kept, testing::Contains(true));
  EXPECT_THAT(kept, testing::Contains(false));
  control.run(store->commit(writes({put("after", "1")})));
  auto in_memory = store->range("");
  store.reset();
  store = open_sqlite_store(path, control.executor());
  auto on_disk = store->range("");
  ASSERT_EQ(in_memory.size(), on_disk.size());
  for (std::size_t i = 0; i < on_disk.size(); ++i) {
    EXPECT_EQ(in_memory[i].key, on_disk[i].key);
    EXPECT_EQ(in_memory[i].modified, on_disk[i].modified);
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(store->get("k" + std::to_string(i)).has_value(), kept[i]) << i;
  }
}

}  // namespace
}  // namespace sampan::store
