#include "http/server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <mutex>

#include "core/error.h"
#include "core/log.h"
#include "core/metrics.h"
#include "http/connection.h"
#include "http/listener.h"

namespace sampan::http {
namespace {

namespace asio = io::asio;
using std::chrono::milliseconds;

// After close_all() the coroutines still have to wake and leave.
constexpr milliseconds kLastMoments{2000};
constexpr milliseconds kStopPoll{5};

// Often enough that no limit is overrun by more than a quarter, rarely enough to cost nothing.
milliseconds sweep_period(const Limits& limits) {
  const milliseconds shortest =
      std::min({limits.head_timeout, limits.idle_timeout, limits.body_stall_timeout});
  return std::clamp(shortest / 4, milliseconds(20), milliseconds(500));
}

}  // namespace

// Shared by the Server and the coroutines it started, so that any of them may be the last.
struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(io::Executors& where, Handler given, Limits limits)
      : executors(where),
        own_handler(std::make_shared<const Handler>(std::move(given))),
        state(std::make_shared<ServerState>(limits)) {}

  io::Executors& executors;
  const std::shared_ptr<const Handler> own_handler;
  const std::shared_ptr<ServerState> state;
  core::metrics::Counter& accepted_total =
      core::metrics::counter("sampan_http_connections_total", "Connections accepted.");
  core::metrics::Counter& turned_away =
      core::metrics::counter("sampan_http_connections_refused_total", "Connections beyond the limit.");

  std::mutex mutex;                        // guards what follows
  std::map<std::uint64_t, int> listening;  // token to descriptor, which its accept loop owns
  std::uint64_t next_token = 1;
  std::uint16_t first_port = 0;
  bool sweeping = false;

  std::uint64_t start(io::UniqueFd socket, std::shared_ptr<const Handler> handler,
                      std::shared_ptr<const TlsIdentity> identity = nullptr);
  void accepted(Accepted connection, const std::shared_ptr<const Handler>& handler);
  void shut_listener(std::uint64_t token);
  void shut_all_listeners();
  void ensure_sweeping();
  static io::Awaitable<void> accept_loop(std::shared_ptr<Impl> self, int socket, std::uint64_t token,
                                         std::shared_ptr<const Handler> handler,
                                         std::shared_ptr<const TlsIdentity> identity);
  static io::Awaitable<void> sweep_loop(std::shared_ptr<Impl> self);
};

std::uint64_t Server::Impl::start(io::UniqueFd socket, std::shared_ptr<const Handler> handler,
                                  std::shared_ptr<const TlsIdentity> identity) {
  std::uint64_t token = 0;
  const int fd = socket.release();
  {
    const std::lock_guard lock(mutex);
    token = next_token++;
    listening.emplace(token, fd);
    if (first_port == 0) first_port = port_of(fd);
  }
  io::spawn_detached(executors.net().get_executor(), "accepting connections",
                     accept_loop(shared_from_this(), fd, token, std::move(handler), std::move(identity)));
  return token;
}

io::Awaitable<void> Server::Impl::accept_loop(std::shared_ptr<Impl> self, int socket, std::uint64_t token,
                                              std::shared_ptr<const Handler> handler,
                                              std::shared_ptr<const TlsIdentity> identity) {
  // The descriptor is taken off the list before it is closed: shut_listener() never meets another's number.
  struct Listed {
    Impl& impl;
    std::uint64_t token;
    io::UniqueFd socket;
    ~Listed() {
      const std::lock_guard lock(impl.mutex);
      impl.listening.erase(token);
      socket.reset();
    }
  };
  const Listed listed{*self, token, io::UniqueFd(socket)};
  const auto take = [&self, &handler, &identity, token](Accepted accepted) {
    accepted.listener = token;
    accepted.tls = identity;
    self->accepted(std::move(accepted), handler);
  };
  co_await accept_until_closed(socket, take);
}

void Server::Impl::accepted(Accepted connection, const std::shared_ptr<const Handler>& handler) {
  accepted_total.add();
  if (state->open >= state->limits.connections) {
    turned_away.add();
    return;  // closes it
  }
  connection.slot = Slot(state);
  auto work = serve_connection(handler, std::move(connection));
  io::spawn_detached(executors.net().get_executor(), "a connection", std::move(work));
  ensure_sweeping();
}

void Server::Impl::ensure_sweeping() {
  {
    const std::lock_guard lock(mutex);
    if (std::exchange(sweeping, true)) return;
  }
  io::spawn_detached(executors.net().get_executor(), "closing slow connections",
                     sweep_loop(shared_from_this()));
}

io::Awaitable<void> Server::Impl::sweep_loop(std::shared_ptr<Impl> self) {
  const milliseconds period = sweep_period(self->state->limits);
  while (true) {
    co_await io::sleep_for(period);
    self->state->peers.sweep();
    const std::lock_guard lock(self->mutex);
    if (self->state->open > 0) continue;  // an idle daemon does not wake
    self->sweeping = false;
    co_return;
  }
}

void Server::Impl::shut_listener(std::uint64_t token) {
  const std::lock_guard lock(mutex);
  const auto found = listening.find(token);
  // shutdown(2) ends the accept loop from any thread, and refuses new connections from this moment on.
  if (found != listening.end()) ::shutdown(found->second, SHUT_RDWR);
}

void Server::Impl::shut_all_listeners() {
  const std::lock_guard lock(mutex);
  for (const auto& [token, fd] : listening) ::shutdown(fd, SHUT_RDWR);
}

Server::Server(io::Executors& executors, Handler handler, Limits limits)
    : impl_(std::make_shared<Impl>(executors, std::move(handler), limits)) {}

Server::~Server() {
  impl_->shut_all_listeners();
  impl_->state->peers.close_all();
}

void Server::listen(const std::string& address, std::uint16_t port) {
  impl_->start(open_listener(address, port), impl_->own_handler);
}

void Server::listen(const std::string& address, std::uint16_t port,
                    std::shared_ptr<const TlsIdentity> identity) {
  impl_->start(open_listener(address, port), impl_->own_handler, std::move(identity));
}

std::uint64_t Server::adopt_listener(io::UniqueFd socket, Handler handler) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    throw core::errno_error("adopt a listening socket");
  }
  return impl_->start(std::move(socket), std::make_shared<const Handler>(std::move(handler)));
}

void Server::stop_listening(std::uint64_t token) {
  impl_->shut_listener(token);
  impl_->state->peers.retire(token);
}

std::uint16_t Server::port() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->first_port;
}

io::Awaitable<void> Server::stop(milliseconds grace) {
  const auto impl = impl_;
  Peers& peers = impl->state->peers;
  const std::atomic<std::size_t>& open = impl->state->open;
  impl->shut_all_listeners();
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (open > 0 && std::chrono::steady_clock::now() < deadline) {
    peers.retire(0);
    co_await io::sleep_for(kStopPoll);
  }
  if (open == 0) co_return;
  core::log::warn("closing {} connections whose requests did not finish within {} ms", open.load(),
                  grace.count());
  peers.close_all();
  const auto last = std::chrono::steady_clock::now() + kLastMoments;
  while (open > 0 && std::chrono::steady_clock::now() < last) co_await io::sleep_for(kStopPoll);
}

}  // namespace sampan::http
