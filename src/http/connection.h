// One connection of the server, from its first byte to its last. Part of server.cpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "http/peers.h"
#include "http/server.h"
#include "http/tls_identity.h"

namespace sampan::http {

// What a connection needs of its server; alive until the last connection has ended.
struct ServerState {
  explicit ServerState(Limits given) : limits(given) {}
  const Limits limits;
  std::atomic<std::size_t> open{0};  // connections, from accept(2) to close(2)
  Peers peers;
};

// One of the connections a server may have.
class Slot {
 public:
  Slot() = default;
  explicit Slot(std::shared_ptr<ServerState> server) : server_(std::move(server)) { ++server_->open; }
  Slot(Slot&&) = default;
  Slot& operator=(Slot&& other) noexcept {
    std::swap(server_, other.server_);
    return *this;
  }
  ~Slot() {
    if (server_) --server_->open;
  }
  ServerState& server() const { return *server_; }

 private:
  std::shared_ptr<ServerState> server_;
};

struct Accepted {
  Slot slot;  // before the socket: freed after it is closed
  io::UniqueFd socket;
  int family = 0;
  std::string remote_address;
  std::uint64_t listener = 0;
  std::shared_ptr<const TlsIdentity> tls;  // null: a plain listener's
};

// Ends when the connection has. Runs on a network thread.
io::Awaitable<void> serve_connection(std::shared_ptr<const Handler> handler, Accepted accepted);

}  // namespace sampan::http
