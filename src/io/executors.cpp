#include "io/executors.h"

#include <algorithm>
#include <csignal>
#include <exception>

#include "core/log.h"

namespace sampan::io {
namespace {

// A handler that throws is a bug of its part; the other parts' work on this thread goes on.
void run_for_ever(asio::io_context& context) {
  while (true) {
    try {
      context.run();
      return;
    } catch (const std::exception& error) {
      core::log::error("an exception left a handler: {}", error.what());
    }
  }
}

}  // namespace

Executors::Executors(unsigned net_threads, unsigned blocking_threads)
    : net_(static_cast<int>(std::max(net_threads, 1u))),
      control_(asio::make_strand(net_)),
      blocking_(std::max(blocking_threads, 1u)),
      net_threads_(std::max(net_threads, 1u)) {
  // sendfile(2) to a peer that left raises it, and unlike send(2) has no flag against that.
  std::signal(SIGPIPE, SIG_IGN);
}

Executors::~Executors() {
  stop();
  blocking_.stop();
  blocking_.join();
}

void Executors::run() {
  const auto work = asio::make_work_guard(net_);
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < net_threads_; ++i) others.emplace_back([this] { run_for_ever(net_); });
  run_for_ever(net_);
}

void Executors::stop() {
  net_.stop();
}

}  // namespace sampan::io
