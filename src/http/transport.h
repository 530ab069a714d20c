// A client's connection: TCP, TLS over TCP, or a Unix socket. Part of client.cpp.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/connections.h"
#include "http/url.h"
#include "http/watchdog.h"

namespace sampan::http {

class Transport {
 public:
  virtual ~Transport() = default;
  // 0 at the peer's orderly end; throws core::Error for any other.
  virtual io::Awaitable<std::size_t> read_some(std::span<char> buffer) = 0;
  virtual io::Awaitable<void> write(std::string_view head, std::string_view body) = 0;
  // False when the peer has closed it, as far as can be seen without asking.
  virtual bool alive() = 0;
};

// The system's certificate authorities (or SSL_CERT_FILE's), and those of `ca_file` unless it is empty.
// Throws core::Error.
std::unique_ptr<Trust> make_trust(const std::string& ca_file);

struct ConnectRules {
  const Trust* trust;          // nullptr: the system's
  const ReachRule& may_reach;  // may be empty
};

// Connects within `time`, from then on guarded by `watchdog`, which outlives the transport. `watchdog` gets
// the whole of `time` for each step. `peer` becomes the address. Throws core::Error: no such host, refused,
// against the rules, no trust in the certificate.
io::Awaitable<std::unique_ptr<Transport>> connect(const Url& url, Watchdog& watchdog,
                                                  std::chrono::milliseconds time, const ConnectRules& rules,
                                                  std::string& peer);

}  // namespace sampan::http

// Complete for the owners of a unique_ptr to it.
struct sampan::http::Trust {
  Trust();
  ~Trust();
  struct Impl;
  std::unique_ptr<Impl> impl;
};
