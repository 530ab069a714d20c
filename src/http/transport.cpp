#include "http/transport.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <cstring>

#include "core/error.h"
#include "http/byte_stream.h"
#include "http/client.h"

namespace sampan::http {

struct Trust::Impl {
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
};
Trust::Trust() : impl(std::make_unique<Impl>()) {}
Trust::~Trust() = default;

std::unique_ptr<Trust> make_trust(const std::string& ca_file) {
  auto trust = std::make_unique<Trust>();
  auto& context = trust->impl->context;
  context.set_default_verify_paths();
  context.set_verify_mode(boost::asio::ssl::verify_peer);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  if (ca_file.empty()) return trust;
  boost::system::error_code error;
  context.load_verify_file(ca_file, error);
  if (error) throw core::Error("read certificate authorities from " + ca_file, error.message());
  return trust;
}

namespace {

// Read at the first https call of the process.
const Trust& system_trust() {
  static const Trust* const trust = make_trust({}).release();  // lives as long as the process
  return *trust;
}

namespace asio = io::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

// The descriptor is guarded for as long as it is open.
class Guarded {
 public:
  Guarded(Watchdog& watchdog, int fd) : watchdog_(&watchdog) { watchdog.guard(fd); }
  Guarded(Guarded&& other) noexcept : watchdog_(std::exchange(other.watchdog_, nullptr)) {}
  ~Guarded() {
    if (watchdog_ != nullptr) watchdog_->guard(-1);
  }

 private:
  Watchdog* watchdog_;
};

enum class Peek { kNothing, kBytes, kEnd };

Peek peek(int fd) {
  char byte = 0;
  const auto n = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) return Peek::kBytes;
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Peek::kNothing : Peek::kEnd;
}

class PlainTransport final : public Transport {
 public:
  PlainTransport(ByteStream stream, Guarded guarded)
      : stream_(std::move(stream)), guarded_(std::move(guarded)) {}

  io::Awaitable<std::size_t> read_some(std::span<char> buffer) override {
    const std::size_t n = co_await stream_.receive(buffer, nullptr);
    if (n == 0 && stream_.failure() != 0) throw core::errno_error("read from the server", stream_.failure());
    co_return n;
  }

  io::Awaitable<void> write(std::string_view head, std::string_view body) override {
    iovec parts[] = {part_of(head), part_of(body)};
    co_await stream_.send(parts, nullptr);
  }

  bool alive() override { return peek(stream_.fd()) == Peek::kNothing; }

 private:
  ByteStream stream_;
  Guarded guarded_;  // after the stream: lifted before it is closed
};

class TlsTransport final : public Transport {
 public:
  using Stream = asio::ssl::stream<ByteStream::Socket&>;

  TlsTransport(ByteStream stream, Guarded guarded, asio::ssl::context& context)
      : stream_(std::move(stream)), guarded_(std::move(guarded)), tls_(stream_.socket(), context) {}

  io::Awaitable<void> handshake(const std::string& host) {
    error_code error;
    asio::ip::make_address(host, error);
    // SNI carries names only (RFC 6066, 3).
    if (error) SSL_set_tlsext_host_name(tls_.native_handle(), host.c_str());
    tls_.set_verify_callback(asio::ssl::host_name_verification(host));
    error = {};
    co_await tls_.async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, error));
    if (error) fail("TLS with " + host, error);
  }

  io::Awaitable<std::size_t> read_some(std::span<char> buffer) override {
    error_code error;
    const auto into = asio::buffer(buffer.data(), buffer.size());
    const std::size_t n =
        co_await tls_.async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
    // Without the peer's farewell (stream_truncated) an end may be an attacker's: not an orderly one.
    if (error && error != asio::error::eof) throw core::Error("read over TLS", error.message());
    co_return n;
  }

  io::Awaitable<void> write(std::string_view head, std::string_view body) override {
    error_code error;
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(head), asio::buffer(body)};
    co_await asio::async_write(tls_, parts, asio::redirect_error(asio::use_awaitable, error));
    if (error) throw core::Error("write over TLS", error.message());
  }

  // Bytes nobody asked for may be a session ticket: only an end is an end.
  bool alive() override { return peek(stream_.fd()) != Peek::kEnd; }

 private:
  [[noreturn]] void fail(const std::string& tried, const error_code& error) {
    const long verified = SSL_get_verify_result(tls_.native_handle());
    if (verified == X509_V_OK) throw core::Error(tried, error.message());
    throw LastingError(
        tried, fmt::format("the certificate is not trusted: {} (roots: the system's, or SSL_CERT_FILE)",
                           X509_verify_cert_error_string(verified)));
  }

  ByteStream stream_;
  Guarded guarded_;
  Stream tls_;
};

struct Destination {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Destination unix_destination(const std::string& path) {
  Destination destination;
  auto* address = reinterpret_cast<sockaddr_un*>(&destination.storage);
  if (path.size() >= sizeof(address->sun_path))
    throw core::Error("connect to " + path, "the path is too long");
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, path.c_str(), path.size() + 1);
  destination.size = sizeof(sockaddr_un);
  return destination;
}

// A name server that does not answer holds this up for as long as resolv.conf says, past any deadline:
// getaddrinfo cannot be interrupted. Addresses written in digits never get there.
io::Awaitable<std::vector<Destination>> destinations(const Url& url) {
  std::vector<Destination> found;
  if (url.scheme == Url::Scheme::kUnix) {
    found.push_back(unix_destination(url.host));
    co_return found;
  }
  const auto add = [&found](const asio::ip::tcp::endpoint& endpoint) {
    Destination destination;
    std::memcpy(&destination.storage, endpoint.data(), endpoint.size());
    destination.size = static_cast<socklen_t>(endpoint.size());
    found.push_back(destination);
  };
  error_code error;
  const auto address = asio::ip::make_address(url.host, error);
  if (!error) {
    add(asio::ip::tcp::endpoint(address, url.port));
    co_return found;
  }
  error = {};
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto results = co_await resolver.async_resolve(url.host, std::to_string(url.port),
                                                       asio::redirect_error(asio::use_awaitable, error));
  if (error) throw core::Error("look up " + url.host, error.message());
  for (const auto& entry : results) add(entry.endpoint());
  co_return found;
}

int pending_error(int fd) {
  int failure = 0;
  socklen_t size = sizeof(failure);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

// Gives why not, or 0.
io::Awaitable<int> connect_stream(ByteStream& stream, const Destination& destination) {
  const auto* address = reinterpret_cast<const sockaddr*>(&destination.storage);
  while (true) {
    if (::connect(stream.fd(), address, destination.size) == 0) co_return 0;
    if (errno == EINTR) continue;
    // EAGAIN, of a Unix socket: the listener's queue is full. Nothing can be waited for.
    if (errno != EINPROGRESS) co_return errno;
    break;
  }
  co_await stream.socket().async_wait(ByteStream::Socket::wait_write, asio::use_awaitable);
  co_return pending_error(stream.fd());
}

std::string address_text(const Destination& destination) {
  char text[INET6_ADDRSTRLEN] = "";
  const auto* six = reinterpret_cast<const sockaddr_in6*>(&destination.storage);
  const auto* four = reinterpret_cast<const sockaddr_in*>(&destination.storage);
  const int family = destination.storage.ss_family;
  if (family == AF_INET) ::inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
  if (family == AF_INET6) ::inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
  return text;
}

// Why the address is not to be spoken to, or nothing.
std::optional<std::string> refusal(const Url& url, const Destination& destination, const ConnectRules& rules,
                                   std::string& peer) {
  peer = address_text(destination);
  if (!rules.may_reach || peer.empty()) return std::nullopt;
  return rules.may_reach(url, peer);
}

}  // namespace

io::Awaitable<std::unique_ptr<Transport>> connect(const Url& url, Watchdog& watchdog, milliseconds time,
                                                  const ConnectRules& rules, std::string& peer) {
  const auto executor = co_await asio::this_coro::executor;
  watchdog.allow(time);
  const auto addresses = co_await destinations(url);
  int failure = EHOSTUNREACH;
  std::optional<std::string> refused;
  for (const Destination& destination : addresses) {
    if (auto why = refusal(url, destination, rules, peer)) {
      refused = std::move(why);
      continue;
    }
    const int family = destination.storage.ss_family;
    io::UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw core::errno_error("make a socket");
    const int on = 1;
    if (family != AF_UNIX) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ByteStream stream(executor, std::move(fd), family);
    Guarded guarded(watchdog, stream.fd());
    failure = co_await connect_stream(stream, destination);
    if (watchdog.expired()) break;
    if (failure != 0) continue;
    if (url.scheme != Url::Scheme::kHttps) {
      co_return std::make_unique<PlainTransport>(std::move(stream), std::move(guarded));
    }
    const Trust& trust = rules.trust ? *rules.trust : system_trust();
    auto tls = std::make_unique<TlsTransport>(std::move(stream), std::move(guarded), trust.impl->context);
    co_await tls->handshake(url.host);
    co_return tls;
  }
  if (refused) throw LastingError("connect", *refused);
  throw core::errno_error("connect", failure);
}

}  // namespace sampan::http
