#include "io/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

namespace sampan::io {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const core::Error& error) {
    return error.what();
  }
  return "no failure";
}

std::size_t entries_in(const fs::path& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, ClosesOnceAndMoves) {
  UniqueFd first = open_file("/dev/null", O_RDONLY);
  const int number = first.get();
  EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
  UniqueFd second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(is_open(number));
  second.reset();
  EXPECT_FALSE(is_open(number));
  second.reset();
}

TEST(OpenFile, NamesThePathWhenItFails) {
  EXPECT_EQ(failure_of([] { open_file("/nowhere/file", O_RDONLY); }),
            "open /nowhere/file: No such file or directory");
}

TEST(ReadFile, HoldsItsLimit) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "f";
  replace_file(path, std::string(1000, 'x'), Durability::kProcessCrash);
  EXPECT_EQ(read_file(path, 1000).size(), 1000u);
  EXPECT_THAT(failure_of([&] { read_file(path, 999); }), HasSubstr("larger than 999 bytes"));
  EXPECT_THAT(read_file("/proc/self/stat"), HasSubstr("io_tests"));  // says it has size 0
}

TEST(ReadFileIfExists, TellsAbsenceFromFailure) {
  const TemporaryDirectory directory;
  EXPECT_EQ(read_file_if_exists(directory.path() / "none"), std::nullopt);
  EXPECT_THAT(failure_of([&] { read_file_if_exists(directory.path()); }), HasSubstr("Is a directory"));
}

TEST(ReplaceFile, LeavesTheNewTextAndNothingElse) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "state.json";
  replace_file(path, "old", Durability::kFlushed);
  replace_file(path, "new", Durability::kProcessCrash, 0600);
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(entries_in(directory.path()), 1u);
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST(ReplaceFile, KeepsTheOldOneAndNoRestWhenItFails) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "taken";
  fs::create_directories(path / "inside");
  EXPECT_THAT(failure_of([&] { replace_file(path, "x", Durability::kFlushed); }),
              HasSubstr("replace " + path.string()));
  EXPECT_EQ(entries_in(directory.path()), 1u);
  EXPECT_THAT(failure_of([&] { replace_file(directory.path() / "no/such", "x", Durability::kFlushed); }),
              HasSubstr("No such file or directory"));
}

TEST(MakeDirectories, MakesTheWholePathAndMayBeRepeated) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "a/b/c";
  make_directories(path);
  make_directories(path);
  EXPECT_TRUE(fs::is_directory(path));
  replace_file(directory.path() / "file", "", Durability::kProcessCrash);
  EXPECT_THAT(failure_of([&] { make_directories(directory.path() / "file"); }), HasSubstr("File exists"));
  EXPECT_THAT(failure_of([&] { make_directories(directory.path() / "file/x"); }),
              HasSubstr("Not a directory"));
}

TEST(FileLock, IsExclusiveWhileItLives) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "lock";
  {
    const FileLock held(path);
    EXPECT_THAT(failure_of([&] { FileLock second(path); }),
                HasSubstr("held by pid " + std::to_string(::getpid())));
  }
  const FileLock again(path);
}

TEST(TemporaryDirectory, GoesWithAllItHolds) {
  fs::path path;
  {
    const TemporaryDirectory directory("/tmp", "sampan-test-");
    path = directory.path();
    EXPECT_THAT(path.filename().string(), testing::StartsWith("sampan-test-"));
    make_directories(path / "x/y");
    replace_file(path / "x/y/z", "1", Durability::kProcessCrash);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(WriteAll, ReportsWhatTheKernelSays) {
  const UniqueFd full = open_file("/dev/full", O_WRONLY);
  EXPECT_THAT(failure_of([&] { write_all(full.get(), "abc"); }), HasSubstr("No space left"));
}

}  // namespace
}  // namespace sampan::io
