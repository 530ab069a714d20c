// The one HTTP/1.1 server of the daemon (Boost.Beast behind the two parsers only).
//
// Keeps connections alive, reads heads within limits, streams bodies both ways, answers 400/408/413/431
// itself for what never becomes a request, and ends slow or idle peers. Handlers run as coroutines on the
// network executor; they hop to the control strand or a pool by themselves. An exception that leaves a
// handler is answered with 500 and logged with the request's line.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "http/message.h"
#include "io/executors.h"

namespace sampan::http {

class TlsIdentity;

struct Limits {
  std::size_t head_bytes = 64 * 1024;                   // request line and headers together: 431 beyond
  std::chrono::milliseconds head_timeout{20000};        // from the first byte to the end of the head: 408
  std::chrono::milliseconds idle_timeout{75000};        // between requests on a kept connection
  std::chrono::milliseconds body_stall_timeout{60000};  // no byte of a body, or of a response, for so long
  std::size_t connections = 4096;                       // beyond: accepted and closed at once
};

class Server {
 public:
  Server(io::Executors& executors, Handler handler, Limits limits = {});
  ~Server();
  // Binds now; throws core::Error naming the address and what holds it. Port 0 takes a free one.
  void listen(const std::string& address, std::uint16_t port);
  // The same over TLS.
  void listen(const std::string& address, std::uint16_t port, std::shared_ptr<const TlsIdentity> identity);
  // A socket that is bound and listening already (the task metadata endpoint's, from its namespace).
  // Its requests go to `handler`, not to the server's own. Returns a token for stop_listening.
  std::uint64_t adopt_listener(io::UniqueFd socket, Handler handler);
  void stop_listening(std::uint64_t token);
  std::uint16_t port() const;  // of the first listen()
  // Stops accepting, lets requests under way finish for at most `grace`, then closes everything.
  boost::asio::awaitable<void> stop(std::chrono::milliseconds grace);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the coroutines of its connections
};

}  // namespace sampan::http
