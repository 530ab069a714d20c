#include "http/listener.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/log.h"

namespace sampan::http {
namespace {

namespace asio = io::asio;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const asio::ip::address& address, std::uint16_t port) {
  SocketAddress result;
  if (address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    const auto bytes = address.to_v4().to_bytes();
    std::memcpy(&v4->sin_addr, bytes.data(), bytes.size());
    result.size = sizeof(sockaddr_in);
    return result;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  v6->sin6_scope_id = static_cast<std::uint32_t>(address.to_v6().scope_id());
  const auto bytes = address.to_v6().to_bytes();
  std::memcpy(&v6->sin6_addr, bytes.data(), bytes.size());
  result.size = sizeof(sockaddr_in6);
  return result;
}

std::string explain(int failure, const std::string& address, std::uint16_t port) {
  const std::string why = std::generic_category().message(failure);
  switch (failure) {
    case EADDRINUSE: {
      const std::string holder = describe_port_holder(port);
      return fmt::format("address in use{}; stop that process or choose another port",
                         holder.empty() ? "" : " (held by " + holder + ")");
    }
    case EACCES:
      return fmt::format(
          "{}; ports below 1024 need root, CAP_NET_BIND_SERVICE, or "
          "`sysctl net.ipv4.ip_unprivileged_port_start={}`",
          why, port);
    case EADDRNOTAVAIL:
      return fmt::format("{}; no interface of this machine has {} (see `ip address`)", why, address);
    default:
      return why;
  }
}

std::string text_of(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof(text));
    return text;
  }
  if (storage.ss_family != AF_INET6) return "unix";
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {  // an IPv4 peer of a socket that listens on [::]
    ::inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof(text));
  } else {
    ::inet_ntop(AF_INET6, &v6, text, sizeof(text));
  }
  return text;
}

// Nothing when no connection waits.
std::optional<Accepted> accept_one(int socket, int& failure) {
  sockaddr_storage from{};
  socklen_t size = sizeof(from);
  io::UniqueFd fd(::accept4(socket, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  failure = fd ? 0 : errno;
  if (!fd) return std::nullopt;
  const int on = 1;  // a response is written as a whole: waiting for more to send only delays it
  if (from.ss_family != AF_UNIX) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  Accepted accepted;
  accepted.remote_address = text_of(from);
  accepted.family = from.ss_family == AF_UNSPEC ? AF_UNIX : from.ss_family;
  accepted.socket = std::move(fd);
  return accepted;
}

// Waits on a descriptor that is somebody else's to close.
class Borrowed : public asio::posix::stream_descriptor {
 public:
  using basic_stream_descriptor::basic_stream_descriptor;
  ~Borrowed() { release(); }
};

bool is_the_peers_fault(int failure) {
  return failure == ECONNABORTED || failure == EINTR || failure == EPROTO || failure == EPERM;
}

}  // namespace

io::UniqueFd open_listener(const std::string& address, std::uint16_t port) {
  const std::string bare =
      address.size() > 2 && address.front() == '[' ? address.substr(1, address.size() - 2) : address;
  const std::string tried =
      fmt::format("listen on {}:{}", bare.find(':') == std::string::npos ? bare : "[" + bare + "]", port);
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(bare, error);
  if (error) throw core::Error(tried, "not an IP address; for example 127.0.0.1, 0.0.0.0 or ::");
  SocketAddress where = to_socket_address(parsed, port);
  io::UniqueFd fd(::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw core::errno_error(tried);
  // A daemon that starts again must not wait for its old connections to leave TIME_WAIT.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool listening = ::bind(fd.get(), where.get(), where.size) == 0 && ::listen(fd.get(), SOMAXCONN) == 0;
  if (!listening) throw core::Error(tried, explain(errno, bare, port));
  return fd;
}

std::uint16_t port_of(int socket) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (::getsockname(socket, address.get(), &address.size) != 0) return 0;
  if (address.storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
  }
  if (address.storage.ss_family != AF_INET6) return 0;
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port);
}

io::Awaitable<void> accept_until_closed(int socket, std::function<void(Accepted)> take) {
  const auto executor = co_await asio::this_coro::executor;
  Borrowed descriptor(executor, socket);
  asio::steady_timer pause(executor);
  while (true) {
    int failure = 0;
    if (auto accepted = accept_one(socket, failure)) {
      take(std::move(*accepted));
    } else if (failure == EAGAIN) {
      co_await descriptor.async_wait(Borrowed::wait_read, asio::use_awaitable);
    } else if (failure == EINVAL) {  // shut down: see Server::stop_listening
      co_return;
    } else if (!is_the_peers_fault(failure)) {
      // Out of descriptors or memory: the connection stays in the queue, trying at once would spin.
      core::log::warn("cannot accept a connection: {}", std::generic_category().message(failure));
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::use_awaitable);
    }
  }
}

}  // namespace sampan::http
