// Threads for work that must not be in anybody's way: they yield processor and disk to all others.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <type_traits>
#include <utility>

#include "io/executors.h"

namespace sampan::scan {

// Of the calling thread, for its life; once a thread, then nothing. Where the kernel refuses, as it is.
void yield_to_others();

class LowPriorityPool {
 public:
  explicit LowPriorityPool(unsigned threads) : pool_(threads) {}
  // Waits for what runs. What is only queued is dropped.
  ~LowPriorityPool() {
    pool_.stop();
    pool_.join();
  }
  // As io::offload.
  template <class F>
  io::Awaitable<std::invoke_result_t<F>> run(F fn) {
    co_return co_await io::run_on(pool_.get_executor(), [fn = std::move(fn)]() mutable {
      yield_to_others();
      return fn();
    });
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace sampan::scan
