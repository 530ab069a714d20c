// The logs part on a memory store, driven by a thread of the executors' own; time stands still until moved.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "io/file.h"
#include "logs/logs.h"
#include "store/memory_store.h"

namespace sampan::logs {

class World {
 public:
  World() {
    restart();
    runner_ = std::thread([this] { executors_.run(); });
  }
  ~World() {
    run([this]() -> io::Awaitable<void> {
      logs_.reset();
      store_.reset();
      co_return;
    }());
    executors_.stop();
    runner_.join();
  }

  template <class T>
  T run(io::Awaitable<T> work) {
    return boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_future).get();
  }
  // A handler's answer, or the exception it throws.
  template <class In, class Out>
  Out call(io::Awaitable<Out> (LogsApi::*operation)(const aws::Call&, In), In input) {
    aws::Call call;
    call.account = account;
    call.region = region;
    call.now = clock_.now();
    return run((logs_->api().*operation)(call, std::move(input)));
  }

  Millis now() const { return to_millis(clock_.now()); }
  core::ManualClock& clock() { return clock_; }
  Logs& logs() { return *logs_; }
  std::filesystem::path files() const { return directory_.path() / "logs"; }
  // As after kill -9 and a new start, but for the store, which is in memory.
  void restart() {
    logs_.reset();
    logs_ = std::make_unique<Logs>(executors_, *store_, ids_, clock_, directory_.path());
  }

  std::string account = "000000000000";
  std::string region = "us-east-1";

 private:
  io::TemporaryDirectory directory_;
  io::Executors executors_{1, 2};
  std::unique_ptr<store::Store> store_ = store::make_memory_store(executors_.control());
  core::SeededIdSource ids_{7};
  core::ManualClock clock_{core::TimePoint(std::chrono::milliseconds(1'750'000'000'000))};
  std::unique_ptr<Logs> logs_;
  std::thread runner_;
};

// What a call throws: "Code: message"; "nothing" if it does not.
template <class F>
std::string fault(F call) {
  try {
    call();
    return "nothing";
  } catch (const aws::Fault& thrown) {
    return thrown.code() + ": " + thrown.what();
  }
}

}  // namespace sampan::logs
