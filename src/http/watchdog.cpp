#include "http/watchdog.h"

#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>

namespace sampan::http {
namespace {

namespace asio = io::asio;
using Clock = std::chrono::steady_clock;

}  // namespace

struct Watchdog::State {
  explicit State(const asio::any_io_executor& executor)
      : strand(asio::make_strand(executor)), timer(strand) {}
  asio::strand<asio::any_io_executor> strand;
  asio::steady_timer timer;  // touched on the strand only

  std::mutex mutex;  // guards what follows
  int fd = -1;
  Clock::time_point deadline = Clock::time_point::max();
  Clock::time_point armed = Clock::time_point::max();  // when the timer goes off
  bool watching = false;
  bool expired = false;
  bool ended = false;
};

Watchdog::Watchdog(const asio::any_io_executor& executor) : state_(std::make_shared<State>(executor)) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ended = true;
    state_->fd = -1;
    if (!state_->watching) return;
  }
  asio::post(state_->strand, [state = state_] { state->timer.cancel(); });
}

void Watchdog::guard(int fd) {
  const std::lock_guard lock(state_->mutex);
  state_->fd = fd;
  // The time may have passed while there was no socket, in the search for an address.
  if (state_->expired && fd >= 0) ::shutdown(fd, SHUT_RDWR);
}

void Watchdog::allow(std::chrono::milliseconds time) {
  bool first = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->deadline = Clock::now() + time;
    first = !std::exchange(state_->watching, true);
    // A later deadline is seen when the earlier one comes: the timer is woken for a sooner one only.
    if (!first && state_->deadline < state_->armed) {
      asio::post(state_->strand, [state = state_] { state->timer.cancel(); });
    }
  }
  // Not under the lock: a coroutine may begin before spawn_detached() returns.
  if (first) io::spawn_detached(state_->strand, "the deadline of a request", watch(state_));
}

void Watchdog::pause() {
  const std::lock_guard lock(state_->mutex);
  state_->deadline = Clock::time_point::max();
}

bool Watchdog::expired() const {
  const std::lock_guard lock(state_->mutex);
  return state_->expired;
}

io::Awaitable<void> Watchdog::watch(std::shared_ptr<State> state) {
  boost::system::error_code ignored;
  while (true) {
    {
      const std::lock_guard lock(state->mutex);
      if (state->ended) co_return;
      if (Clock::now() >= state->deadline) {
        state->expired = true;
        if (state->fd >= 0) ::shutdown(state->fd, SHUT_RDWR);
        state->deadline = Clock::time_point::max();
      }
      state->armed = state->deadline;
      state->timer.expires_at(state->armed);
    }
    co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace sampan::http
