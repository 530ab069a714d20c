// A store with its control strand, driven by the test's own thread.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>

#include "store/store.h"

namespace sampan::store {

class Control {
 public:
  auto executor() { return context_.get_executor(); }

  // Runs the coroutine (and all else that is ready) to its end; gives its result or throws what it throws.
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    auto result = boost::asio::co_spawn(context_, std::move(work), boost::asio::use_future);
    context_.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      if (context_.run_one() == 0) context_.restart();
    }
    return result.get();
  }
  template <class T>
  std::future<T> start(boost::asio::awaitable<T> work) {
    return boost::asio::co_spawn(context_, std::move(work), boost::asio::use_future);
  }
  // Until `done()`; the test's own time limit is the limit.
  template <class F>
  void run_until(F done) {
    auto guard = boost::asio::make_work_guard(context_);
    context_.restart();
    while (!done()) context_.run_one();
  }

 private:
  boost::asio::io_context context_{1};
};

inline Write put(std::string key, std::string value, LeaseId lease = 0) {
  return {std::move(key), std::move(value), lease};
}
inline Write erase(std::string key) {
  return {std::move(key), std::nullopt, 0};
}
inline Transaction writes(std::vector<Write> all) {
  return {{}, std::move(all)};
}

}  // namespace sampan::store
