// Waiting for the signals that ask the process to end, or to read its files again.
#pragma once

#include "io/executors.h"

namespace sampan::io {

// The next SIGTERM or SIGINT. From the first call on, neither ends the process by itself while a coroutine
// waits.
Awaitable<int> wait_for_stop_signal();

// SIGHUPs, one after another; while this lives, none ends the process.
class Hangups {
 public:
  explicit Hangups(const asio::any_io_executor& executor);
  ~Hangups();
  Awaitable<void> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sampan::io
