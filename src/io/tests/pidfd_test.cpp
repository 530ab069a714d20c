#include "io/pidfd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>

#include "io/signals.h"
#include "io/tests/running.h"

namespace sampan::io {
namespace {

using std::chrono::milliseconds;

// A process that does nothing until it is killed.
class Idler {
 public:
  Idler() : pid_(::fork()) {
    if (pid_ == 0) {
      while (true) ::pause();
    }
  }
  ~Idler() { end(); }
  pid_t pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  pid_t pid_;
};

TEST(PidFd, IsNothingForAProcessThatIsGone) {
  Idler idler;
  const pid_t pid = idler.pid();
  const auto identity = identify_process(pid);
  ASSERT_TRUE(identity);
  idler.end();
  EXPECT_FALSE(PidFd::open(pid));
  EXPECT_FALSE(PidFd::open(*identity));
  EXPECT_FALSE(identify_process(pid));
  EXPECT_FALSE(PidFd::open(0));
  EXPECT_FALSE(PidFd::open(-1));
}

TEST(PidFd, RefusesAnotherProcessWithTheSameNumber) {
  const Idler idler;
  auto identity = identify_process(idler.pid());
  ASSERT_TRUE(identity);
  EXPECT_TRUE(PidFd::open(*identity));
  ++identity->start_ticks;
  EXPECT_FALSE(PidFd::open(*identity));
}

TEST(PidFd, WaitsForTheEndAndSignals) {
  Running running;
  const Idler idler;
  const auto fd = PidFd::open(idler.pid());
  ASSERT_TRUE(fd);
  EXPECT_FALSE(fd->has_exited());
  EXPECT_FALSE(running.wait(fd->wait_exit_for(milliseconds(30))));
  auto ended = asio::co_spawn(running.executors.net(), fd->wait_exit(), asio::use_future);
  EXPECT_TRUE(fd->send_signal(SIGKILL));
  ended.get();
  EXPECT_TRUE(fd->has_exited());
  EXPECT_TRUE(running.wait(fd->wait_exit_for(milliseconds(60'000))));
}

TEST(PidFd, MayGoWhileItsProcessIsWaitedFor) {
  Running running;
  Idler idler;
  auto fd = PidFd::open(idler.pid());
  ASSERT_TRUE(fd);
  auto ended =
      asio::co_spawn(running.executors.net(), fd->wait_exit_for(milliseconds(60'000)), asio::use_future);
  fd.reset();
  idler.end();
  EXPECT_TRUE(ended.get());
}

TEST(PidFd, SendsNothingToWhatHasEnded) {
  Idler idler;
  const auto fd = PidFd::open(idler.pid());
  ASSERT_TRUE(fd);
  idler.end();
  EXPECT_FALSE(fd->send_signal(SIGTERM));
}

TEST(WaitForStopSignal, GivesTheSignalInsteadOfEnding) {
  Running running(1);
  auto got = asio::co_spawn(running.executors.net(), wait_for_stop_signal(), asio::use_future);
  auto nothing = []() -> Awaitable<void> { co_return; };
  running.wait(nothing());  // the one thread has begun to wait
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_EQ(got.get(), SIGTERM);
}

}  // namespace
}  // namespace sampan::io
