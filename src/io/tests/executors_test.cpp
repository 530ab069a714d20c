#include "io/executors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <future>

#include "core/error.h"
#include "io/tests/running.h"

namespace sampan::io {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong{60'000};

TEST(Offload, RunsOnThePoolAndComesBack) {
  Running running;
  auto work = [](Executors& executors) -> Awaitable<std::pair<bool, bool>> {
    const auto here = [&executors] { return executors.net().get_executor().running_in_this_thread(); };
    const bool pool_is_net = co_await offload(executors, here);
    co_return std::make_pair(pool_is_net, here());
  };
  EXPECT_EQ(running.wait(work(running.executors)), std::make_pair(false, true));
}

TEST(Offload, CarriesResultsThatOnlyMoveAndExceptions) {
  Running running;
  auto moved = [](Executors& executors) -> Awaitable<int> {
    auto made = co_await offload(executors, [] { return std::make_unique<int>(7); });
    co_return *made;
  };
  EXPECT_EQ(running.wait(moved(running.executors)), 7);
  auto thrown = [](Executors& executors) -> Awaitable<void> {
    co_await offload(executors, [] { throw core::Error("disk", "full"); });
  };
  EXPECT_THROW(running.wait(thrown(running.executors)), core::Error);
}

TEST(OnControl, IsOneAtATime) {
  Running running(4);
  int counter = 0;  // no atomic: the strand guards it
  auto bump = [](Executors& executors, int& count) -> Awaitable<void> {
    for (int i = 0; i < 500; ++i) co_await on_control(executors, [&count] { ++count; });
  };
  std::vector<std::future<void>> done;
  for (int i = 0; i < 4; ++i) {
    done.push_back(
        asio::co_spawn(running.executors.net(), bump(running.executors, counter), asio::use_future));
  }
  for (auto& each : done) each.get();
  EXPECT_EQ(counter, 2000);
}

TEST(Executors, GoOnWhenAHandlerThrows) {
  testing::internal::CaptureStderr();
  {
    Running running(1);
    asio::post(running.executors.net(), [] { throw core::Error("handler", "broken"); });
    auto answer = [](Executors& executors) -> Awaitable<int> {
      co_return co_await offload(executors, [] { return 5; });
    };
    EXPECT_EQ(running.wait(answer(running.executors)), 5);
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("handler: broken"));
}

TEST(Executors, MayEndWhileCoroutinesWait) {
  auto running = std::make_unique<Running>();
  spawn_detached(running->executors.net().get_executor(), "sleeper", sleep_for(kLong));
  auto blocked = [](Executors& executors) -> Awaitable<void> {
    co_await offload(executors, [] { ::usleep(50'000); });
  };
  spawn_detached(running->executors.net().get_executor(), "offloader", blocked(running->executors));
  running.reset();
}

TEST(SpawnDetached, LogsTheNameOfWhatFailed) {
  testing::internal::CaptureStderr();
  {
    Running running;
    std::promise<void> reached;
    auto fails = [](std::promise<void>& mark) -> Awaitable<void> {
      mark.set_value();
      throw core::Error("pull", "refused");
      co_return;
    };
    spawn_detached(running.executors.control(), "the puller", fails(reached));
    reached.get_future().get();
    auto after = []() -> Awaitable<void> { co_return; };
    running.wait_on_control(after());  // the strand is past the first by then
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("the puller ended: pull: refused"));
}

TEST(Bell, RungBeforeTheWaitAnswersAtOnceAndOnce) {
  Running running;
  auto work = [](Executors& executors) -> Awaitable<std::vector<bool>> {
    Bell bell(executors.control());
    bell.ring();
    bell.ring();
    std::vector<bool> answers;
    answers.push_back(co_await bell.wait_for(kLong));
    answers.push_back(co_await bell.wait_for(milliseconds(1)));
    co_return answers;
  };
  EXPECT_EQ(running.wait_on_control(work(running.executors)), (std::vector<bool>{true, false}));
}

TEST(Bell, WakesAWaiter) {
  Running running;
  auto waiter = [](std::shared_ptr<Bell> bell) -> Awaitable<bool> {
    co_return co_await bell->wait_for(kLong);
  };
  auto bell = std::make_shared<Bell>(running.executors.control());
  auto answer = asio::co_spawn(running.executors.control(), waiter(bell), asio::use_future);
  asio::post(running.executors.control(), [bell] { bell->ring(); });
  EXPECT_TRUE(answer.get());
}

TEST(Bell, OneRingWakesOneOfTwoWaiters) {
  Running running;
  auto waiter = [](std::shared_ptr<Bell> bell, milliseconds limit) -> Awaitable<bool> {
    co_return co_await bell->wait_for(limit);
  };
  auto bell = std::make_shared<Bell>(running.executors.control());
  auto first = asio::co_spawn(running.executors.control(), waiter(bell, kLong), asio::use_future);
  auto second = asio::co_spawn(running.executors.control(), waiter(bell, milliseconds(50)), asio::use_future);
  asio::post(running.executors.control(), [bell] { bell->ring(); });
  EXPECT_TRUE(first.get());
  EXPECT_FALSE(second.get());
}

TEST(Bell, MayGoWhileSomebodyWaits) {
  Running running;
  auto waiter = [](Bell* bell) -> Awaitable<bool> { co_return co_await bell->wait_for(milliseconds(20)); };
  auto bell = std::make_unique<Bell>(running.executors.control());
  auto answer = asio::co_spawn(running.executors.control(), waiter(bell.get()), asio::use_future);
  auto nothing = []() -> Awaitable<void> { co_return; };
  running.wait_on_control(nothing());  // the waiter has begun
  asio::post(running.executors.control(), [owned = std::move(bell)]() mutable { owned.reset(); });
  EXPECT_FALSE(answer.get());
}

TEST(Bell, PassesCancellationOn) {
  Running running;
  asio::cancellation_signal cancel;
  auto waiter = [](std::shared_ptr<Bell> bell) -> Awaitable<void> { co_await bell->wait_for(kLong); };
  auto bell = std::make_shared<Bell>(running.executors.control());
  auto ended = asio::co_spawn(running.executors.control(), waiter(bell),
                              asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
  asio::post(running.executors.control(), [&cancel] { cancel.emit(asio::cancellation_type::terminal); });
  EXPECT_THROW(ended.get(), boost::system::system_error);
}

}  // namespace
}  // namespace sampan::io
