// The open connections of a server: their deadlines, and closing them from any thread.
//
// No connection has a timer. Each keeps a deadline, a plain atomic that costs nothing to move; one sweep over
// all of them, some times a second, shuts the sockets down whose time is up. shutdown(2) wakes the coroutine
// that waits on the socket, from whatever thread, and the socket itself stays its connection's.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <unordered_set>

namespace sampan::http {

class Peers;

// A connection as the sweep sees it. Owned by the connection; registered for its whole life.
class Peer {
 public:
  // Between requests; a head or a body is being read; a request is at work or answered.
  enum class Phase { kIdle, kReading, kBusy };

  Peer(Peers& peers, int fd, std::uint64_t listener);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // What the connection does from now on, and how long it may take. Zero: as long as it wants.
  void enter(Phase phase, std::chrono::milliseconds limit);
  void extend(std::chrono::milliseconds limit);
  bool expired() const { return expired_.load(std::memory_order_acquire); }
  // True when no further request is to be taken from it.
  bool retired() const { return retired_.load(); }

 private:
  friend class Peers;
  Peers& peers_;
  const int fd_;
  const std::uint64_t listener_;
  std::atomic<std::int64_t> deadline_;
  std::atomic<Phase> phase_{Phase::kIdle};
  std::atomic<bool> expired_{false};
  std::atomic<bool> retired_{false};
};

class Peers {
 public:
  // Shuts down those whose deadline has passed.
  void sweep();
  // Idle ones end now, the others after their request. `listener` 0: of all listeners.
  void retire(std::uint64_t listener);
  void close_all();

 private:
  friend class Peer;
  std::mutex mutex_;  // guards the set and keeps the descriptors in it open
  std::unordered_set<Peer*> all_;
};

}  // namespace sampan::http
