#include "http/peers.h"

#include <ctime>
#include <limits>

namespace sampan::http {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// Milliseconds; to about 4 ms and without asking the hardware: deadlines move several times a request.
std::int64_t coarse_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

Peer::Peer(Peers& peers, int fd, std::uint64_t listener)
    : peers_(peers), fd_(fd), listener_(listener), deadline_(kNever) {
  const std::lock_guard lock(peers_.mutex_);
  peers_.all_.insert(this);
}

Peer::~Peer() {
  const std::lock_guard lock(peers_.mutex_);
  peers_.all_.erase(this);
}

void Peer::enter(Phase phase, std::chrono::milliseconds limit) {
  phase_.store(phase);  // in one order with retired_: one of two threads sees the other
  extend(limit);
}

void Peer::extend(std::chrono::milliseconds limit) {
  const std::int64_t deadline = limit.count() == 0 ? kNever : coarse_now() + limit.count();
  deadline_.store(deadline, std::memory_order_release);
}

void Peers::sweep() {
  const std::int64_t now = coarse_now();
  const std::lock_guard lock(mutex_);
  for (Peer* peer : all_) {
    if (peer->deadline_.load(std::memory_order_acquire) > now) continue;
    peer->expired_.store(true, std::memory_order_release);
    peer->deadline_.store(kNever, std::memory_order_release);
    // A slow head or body is still answered, with 408: only its reading ends.
    const bool reading = peer->phase_.load() == Peer::Phase::kReading;
    ::shutdown(peer->fd_, reading ? SHUT_RD : SHUT_RDWR);
  }
}

void Peers::retire(std::uint64_t listener) {
  const std::lock_guard lock(mutex_);
  for (Peer* peer : all_) {
    if (listener != 0 && peer->listener_ != listener) continue;
    peer->retired_.store(true);
    // A request that has already arrived is still read, and answered with "Connection: close".
    if (peer->phase_.load() == Peer::Phase::kIdle) ::shutdown(peer->fd_, SHUT_RD);
  }
}

void Peers::close_all() {
  const std::lock_guard lock(mutex_);
  for (Peer* peer : all_) {
    peer->retired_.store(true);
    ::shutdown(peer->fd_, SHUT_RDWR);
  }
}

}  // namespace sampan::http
