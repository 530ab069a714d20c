// Executors that run for the length of a test, and coroutines run on them to their end.
#pragma once

#include <boost/asio/use_future.hpp>
#include <thread>

#include "io/executors.h"

namespace sampan::io {

class Running {
 public:
  explicit Running(unsigned net_threads = 2)
      : executors(net_threads, 2), thread_([this] { executors.run(); }) {}
  ~Running() {
    executors.stop();
    thread_.join();
  }

  template <class T>
  T wait(Awaitable<T> work) {
    return asio::co_spawn(executors.net(), std::move(work), asio::use_future).get();
  }
  template <class T>
  T wait_on_control(Awaitable<T> work) {
    return asio::co_spawn(executors.control(), std::move(work), asio::use_future).get();
  }

  Executors executors;

 private:
  std::thread thread_;
};

}  // namespace sampan::io
