// The deadline of one client connection, kept beside whatever coroutine uses it.
//
// When the time is up it shuts the socket down, which wakes the coroutine that waits on it, on whatever
// executor that runs: no strand is asked of the caller. Part of client.cpp.
#pragma once

#include <chrono>
#include <memory>

#include "io/executors.h"

namespace sampan::http {

class Watchdog {
 public:
  explicit Watchdog(const boost::asio::any_io_executor& executor);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The socket to shut down; -1 for none, and always before it is closed.
  void guard(int fd);
  void allow(std::chrono::milliseconds time);  // from now on
  void pause();                                // until allow(): the time is not the peer's
  bool expired() const;

 private:
  struct State;
  static io::Awaitable<void> watch(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the coroutine that sleeps
};

}  // namespace sampan::http
