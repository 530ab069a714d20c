// Opening: what a file may not be, and what a restart keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "core/error.h"
#include "io/file.h"
#include "store/open.h"
#include "store/sqlite_store.h"
#include "store/tests/fixture.h"

namespace sampan::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SqliteFile : public testing::Test {
 protected:
  std::string refusal() {
    try {
      open_sqlite_store(path_, control_.executor());
      return "opened";
    } catch (const core::Error& error) {
      return error.what();
    }
  }
  void sql(const char* text) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, text, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
  void fill(int rows) {
    auto store = open_sqlite_store(path_, control_.executor());
    for (int i = 0; i < rows; ++i) {
      control_.run(store->commit(writes({put("k" + std::to_string(i), std::string(3000, 'v'))})));
    }
  }
  io::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "deep" / "state.db";
  Control control_;
};

TEST_F(SqliteFile, MakesItsDirectory) {
  fill(1);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(SqliteFile, RefusesAFileInUse) {
  auto store = open_sqlite_store(path_, control_.executor());
  EXPECT_THAT(refusal(), HasSubstr("state.db.lock"));
}

TEST_F(SqliteFile, RefusesANewerSchema) {
  fill(1);
  sql("PRAGMA user_version=2");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("newer version"), HasSubstr("schema 2"), HasSubstr(path_.string())));
}

TEST_F(SqliteFile, RefusesAnotherProgramsFile) {
  std::filesystem::create_directories(path_.parent_path());
  sql("CREATE TABLE theirs(x)");
  EXPECT_THAT(refusal(), HasSubstr("some other program"));
}

TEST_F(SqliteFile, RefusesWhatIsNotADatabase) {
  std::filesystem::create_directories(path_.parent_path());
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_THAT(refusal(), AllOf(HasSubstr("is damaged"), HasSubstr("backup")));
}

TEST_F(SqliteFile, RefusesADamagedPage) {
  fill(40);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 4; page < 30; ++page) {
    file.seekp(page * 4096);
    file << std::string(64, '\xee');
  }
  file.close();
  EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

TEST_F(SqliteFile, KeepsRowsRevisionAndLeasesAcrossARestart) {
  LeaseId lease = 0;
  {
    auto store = open_sqlite_store(path_, control_.executor());
    lease = control_.run(store->grant_lease(std::chrono::milliseconds(700)));
    auto ended = control_.run(store->grant_lease(std::chrono::hours(1)));
    control_.run(store->commit(writes({put("held", "1", lease), put("gone", "1", ended), put("free", "1")})));
    control_.run(store->commit(writes({put("free", "2")})));
    control_.run(store->revoke_lease(ended));
  }
  auto store = open_sqlite_store(path_, control_.executor());
  EXPECT_EQ(store->get("free")->modified, 2);
  EXPECT_EQ(store->get("free")->created, 1);
  EXPECT_EQ(store->revision(), 3);
  EXPECT_FALSE(store->get("gone"));
  EXPECT_TRUE(store->get("held"));
  control_.run_until([&] { return !store->get("held"); });
  EXPECT_GT(control_.run(store->grant_lease(std::chrono::hours(1))), lease + 1);  // ids are not used again
}

TEST_F(SqliteFile, WhatWaitsIsWrittenWhenTheStoreIsClosed) {
  auto store = open_sqlite_store(path_, control_.executor());
  auto started = control_.start(store->commit(writes({put("a", "1")})));
  control_.run_until([&] { return store->get("a").has_value(); });
  store.reset();
  store = open_sqlite_store(path_, control_.executor());
  EXPECT_TRUE(store->get("a"));
}

TEST(OpenStore, RefusesAnUnknownKind) {
  io::Executors executors(1, 1);
  io::TemporaryDirectory directory;
  EXPECT_THROW(open_store("floppy", directory.path(), executors), core::Error);
  EXPECT_NE(open_store("memory", directory.path(), executors), nullptr);
  EXPECT_NE(open_store("sqlite", directory.path(), executors), nullptr);
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "state.db"));
}

}  // namespace
}  // namespace sampan::store
