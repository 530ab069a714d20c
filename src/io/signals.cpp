#include "io/signals.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>

namespace sampan::io {

Awaitable<int> wait_for_stop_signal() {
  const auto executor = co_await asio::this_coro::executor;
  asio::signal_set signals(executor, SIGTERM, SIGINT);
  co_return co_await signals.async_wait(asio::use_awaitable);
}

struct Hangups::Impl {
  explicit Impl(const asio::any_io_executor& executor) : signals(executor, SIGHUP) {}
  asio::signal_set signals;
};

Hangups::Hangups(const asio::any_io_executor& executor)
    : impl_(std::make_unique<Impl>(executor)) {}

Hangups::~Hangups() = default;

Awaitable<void> Hangups::next() {
  co_await impl_->signals.async_wait(asio::use_awaitable);
}

}  // namespace sampan::io
