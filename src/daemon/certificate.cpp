#include "daemon/certificate.h"

#include "core/error.h"
#include "core/log.h"
#include "io/signals.h"

namespace sampan::daemon {
namespace {

constexpr std::chrono::seconds kLookEvery{2};

io::Awaitable<void> read_on_hangup(io::Executors& executors, std::shared_ptr<http::TlsIdentity> identity) {
  io::Hangups hangups(executors.control());
  while (true) {
    co_await hangups.next();
    try {
      co_await io::offload(executors, [identity] { identity->reload(); });
      core::log::info("SIGHUP: the TLS certificate has been read again");
    } catch (const core::Error& error) {
      core::log::error("SIGHUP: the TLS certificate stays as it was: {}", error.what());
    }
  }
}

}  // namespace

io::Awaitable<void> follow_certificate(io::Executors& executors,
                                       std::shared_ptr<http::TlsIdentity> identity) {
  io::spawn_detached(executors.control(), "SIGHUP", read_on_hangup(executors, identity));
  while (true) {
    co_await io::sleep_for(kLookEvery);
    try {
      const bool changed =
          co_await io::offload(executors, [identity] { return identity->reload_if_changed(); });
      if (changed) core::log::info("the TLS certificate has changed and was read again");
    } catch (const core::Error& error) {
      core::log::error("the TLS certificate stays as it was: {}", error.what());
    }
  }
}

}  // namespace sampan::daemon
