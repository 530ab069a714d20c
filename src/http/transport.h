// A client's connection: TCP, TLS over TCP, or a Unix socket. Part of client.cpp.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include "http/url.h"
#include "http/watchdog.h"

namespace sampan::http {

class Transport {
 public:
  virtual ~Transport() = default;
  // 0 at the peer's orderly end; throws core::Error for any other.
  virtual io::Awaitable<std::size_t> read_some(std::span<char> buffer) = 0;
  virtual io::Awaitable<void> write(std::string_view head, std::string_view body) = 0;
};

// Connects within `time`, from then on guarded by `watchdog`, which outlives the transport. `watchdog` gets
// the whole of `time` for each step. Throws core::Error: no such host, refused, no trust in the certificate.
io::Awaitable<std::unique_ptr<Transport>> connect(const Url& url, Watchdog& watchdog,
                                                  std::chrono::milliseconds time);

}  // namespace sampan::http
