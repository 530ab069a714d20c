#include "daemon/daemon.h"

#include "core/error.h"
#include "core/log.h"
#include "core/version.h"
#include "daemon/parts.h"
#include "io/signals.h"

namespace sampan::daemon {
namespace {

constexpr std::chrono::seconds kStopGrace{5};

// From the first request to the last. A failure to start ends the process with its cause.
io::Awaitable<void> live(Parts& parts, std::exception_ptr& failure) {
  try {
    co_await parts.start();
    auto signal = co_await io::wait_for_stop_signal();
    core::log::info("signal {}: finishing what is under way", signal);
    co_await parts.server.stop(kStopGrace);
    co_await parts.stop();
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  parts.executors.stop();
}

}  // namespace

Daemon::Daemon(Options options) : options_(std::move(options)) {
  require_privilege();
  parts_ = std::make_unique<Parts>(options_);
}

Daemon::~Daemon() = default;

void Daemon::run() {
  auto& parts = *parts_;
  parts.lock.write_pid();
  core::log::info("sampand {} listens on {}:{} (instance {}, data {}, runtime {})", core::kVersion, options_.listen_address,
                  parts.port, options_.instance_id(), options_.data_dir.string(), parts.host.runtime_name);
  std::exception_ptr failure;
  io::spawn_detached(parts.executors.control(), "daemon", live(parts, failure));
  parts.executors.run();
  // What still runs on the pool may refer to parts: it ends before they do.
  parts.executors.blocking().stop();
  parts.executors.blocking().join();
  if (failure) std::rethrow_exception(failure);
  core::log::info("stopped");
}

}  // namespace sampan::daemon
