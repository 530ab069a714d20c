// kill -9 during writes, again and again on one file: every acknowledged write must be there afterwards.
//
//   child                                 parent
//   commit {/slot/N, /twin/N} := n
//   (durable)  -> write(pipe, N, n)       read acknowledgements until its patience ends, SIGKILL, open,
//   compare
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/detached.hpp>
#include <csignal>
#include <random>

#include "core/error.h"
#include "io/file.h"
#include "store/sqlite_store.h"
#include "store/tests/fixture.h"

namespace sampan::store {
namespace {

constexpr int kSlots = 16;
constexpr int kKills = 220;

struct Ack {
  std::int32_t slot;
  std::int32_t number;
};

boost::asio::awaitable<void> write_slot(Store& store, int slot, int number, int pipe) {
  const auto suffix = std::to_string(slot);
  for (;; ++number) {
    // Sizes vary, so that kills meet small and large WAL writes and checkpoints.
    auto value = std::to_string(number) + ":" + std::string(static_cast<std::size_t>(number % 37) * 150, 'x');
    co_await store.commit(writes({put("/slot/" + suffix, value), put("/twin/" + suffix, value)}));
    Ack ack{slot, number};
    if (write(pipe, &ack, sizeof ack) != sizeof ack) _exit(3);
  }
}

[[noreturn]] void write_until_killed(const std::filesystem::path& path, int first_number, int pipe) {
  boost::asio::io_context context(1);
  auto store = open_sqlite_store(path, context.get_executor());
  for (int slot = 0; slot < kSlots; ++slot) {
    boost::asio::co_spawn(context, write_slot(*store, slot, first_number, pipe), boost::asio::detached);
  }
  context.run();
  _exit(4);
}

int number_of(const std::optional<KeyValue>& row) {
  return row ? std::stoi(row->value) : 0;
}

// Reads acknowledgements for `patience`, kills the child, reads the rest of the pipe.
void read_until_killed(pid_t child, int pipe, std::chrono::microseconds patience,
                       std::array<int, kSlots>& acked, int& count) {
  // The first acknowledgement says that the child is writing; patience begins there.
  Ack ack{};
  bool killed = false;
  auto end = std::chrono::steady_clock::time_point::max();
  while (read(pipe, &ack, sizeof ack) == sizeof ack) {
    acked.at(static_cast<std::size_t>(ack.slot)) = ack.number;
    ++count;
    auto now = std::chrono::steady_clock::now();
    if (end == std::chrono::steady_clock::time_point::max()) end = now + patience;
    if (!killed && now >= end) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  if (!killed) kill(child, SIGKILL);
}

TEST(SqliteStoreKill, EveryAcknowledgedWriteSurvivesTwoHundredKills) {
  io::TemporaryDirectory directory("/var/tmp");  // a real disk: /tmp may be memory
  const auto path = directory.path() / "state.db";
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::array<int, kSlots> acked{};
  int count = 0, first_number = 1;
  for (int round = 0; round < kKills; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      try {
        write_until_killed(path, first_number, ends[1]);
      } catch (const std::exception& error) {
        fprintf(stderr, "writer: %s\n", error.what());
        _exit(5);
      }
    }
    close(ends[1]);
    read_until_killed(child, ends[0], std::chrono::microseconds(random() % 60'000), acked, count);
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << status;

    Control control;
    auto store = open_sqlite_store(path, control.executor());
    for (int slot = 0; slot < kSlots; ++slot) {
      auto row = store->get("/slot/" + std::to_string(slot));
      auto twin = store->get("/twin/" + std::to_string(slot));
      ASSERT_GE(number_of(row), acked[static_cast<std::size_t>(slot)]) << "an acknowledged write is lost";
      ASSERT_EQ(row ? row->value : "", twin ? twin->value : "") << "half a transaction";
      first_number = std::max(first_number, number_of(row) + 1);
    }
  }
  RecordProperty("acknowledged", count);
  printf("%d kills, %d acknowledged transactions\n", kKills, count);
  EXPECT_GT(count, kKills * kSlots);
}

}  // namespace
}  // namespace sampan::store
