// spawn_detached, sleep_for and Bell of executors.h.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>

#include "core/log.h"
#include "io/executors.h"

namespace sampan::io {
namespace {

using boost::system::error_code;
using boost::system::system_error;

void log_end(const std::string& name, std::exception_ptr failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) return;  // cancelled: no failure
    core::log::error("{} ended: {}", name, error.what());
  } catch (const std::exception& error) {
    core::log::error("{} ended: {}", name, error.what());
  } catch (...) {
    core::log::error("{} ended with an unknown exception", name);
  }
}

}  // namespace

void spawn_detached(const asio::any_io_executor& executor, std::string name, Awaitable<void> work) {
  asio::co_spawn(executor, std::move(work),
                 [name = std::move(name)](std::exception_ptr failure) { log_end(name, failure); });
}

Awaitable<void> sleep_for(std::chrono::milliseconds duration) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

struct Bell::Impl {
  explicit Impl(const asio::any_io_executor& where) : executor(where) {}
  asio::any_io_executor executor;
  bool rung = false;
  std::list<asio::steady_timer> waiting;  // one a waiter, the first come first
};

Bell::Bell(const asio::any_io_executor& executor) : impl_(std::make_shared<Impl>(executor)) {}
Bell::~Bell() = default;

void Bell::ring() {
  impl_->rung = true;
  if (!impl_->waiting.empty()) impl_->waiting.front().cancel();
}

Awaitable<bool> Bell::wait_for(std::chrono::milliseconds limit) {
  const std::shared_ptr<Impl> impl = impl_;  // the bell may go while somebody waits
  const auto deadline = std::chrono::steady_clock::now() + limit;
  if (!impl->rung) {
    const auto timer = impl->waiting.emplace(impl->waiting.end(), impl->executor, deadline);
    error_code ignored;  // told from the flag: a ring may also arrive just after the time is up
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    impl->waiting.erase(timer);
  }
  const auto cancelled = co_await asio::this_coro::cancellation_state;
  if (!impl->rung && cancelled.cancelled() != asio::cancellation_type::none) {
    throw system_error(asio::error::operation_aborted);
  }
  co_return std::exchange(impl->rung, false);
}

}  // namespace sampan::io
