#include "http/connection.h"

#include "core/error.h"
#include "core/log.h"
#include "core/metrics.h"
#include "http/byte_stream.h"
#include "http/request_body.h"
#include "http/request_parser.h"
#include "http/response_head.h"

namespace sampan::http {
namespace {

// A body that its handler left unread: so much is read away to keep the connection, beyond it is closed.
constexpr std::uint64_t kDrainLimit = 256 * 1024;
// Closing while the peer still sends makes the kernel reset the connection, and the peer may lose the answer
// that tells it why. So much, and so long, is therefore still taken from it.
constexpr std::uint64_t kLingerLimit = 64 * 1024 * 1024;
constexpr std::chrono::milliseconds kLingerTime{2000};
// Bodies up to here are copied behind their head: cheaper than a second part.
constexpr std::size_t kCopiedBody = 16 * 1024;

struct ServerMetrics {
  core::metrics::Counter& requests =
      core::metrics::counter("sampan_http_requests_total", "Requests handed to a handler.");
  core::metrics::Counter& refused =
      core::metrics::counter("sampan_http_refused_total", "Heads that never became a request.");
  core::metrics::Counter& handshakes =
      core::metrics::counter("sampan_tls_handshake_failures_total", "TLS handshakes that came to nothing.");
  core::metrics::Counter& failed =
      core::metrics::counter("sampan_http_failures_total", "Requests whose handler failed (500).");
};

ServerMetrics& metrics() {
  static ServerMetrics all;
  return all;
}

Response plain(int status, std::string_view reason) {
  std::string text(reason_phrase(status));
  if (!reason.empty()) text.append(": ").append(reason);
  return Response::text(status, text.append("\n"), "text/plain; charset=utf-8");
}

class Connection {
 public:
  Connection(std::shared_ptr<const Handler> handler, Accepted accepted,
             const boost::asio::any_io_executor& executor)
      : slot_(std::move(accepted.slot)),
        handler_(std::move(handler)),
        remote_address_(std::move(accepted.remote_address)),
        identity_(std::move(accepted.tls)),
        stream_(executor, std::move(accepted.socket), accepted.family),
        peer_(slot_.server().peers, stream_.fd(), accepted.listener),
        input_(limits().head_bytes) {}

  ~Connection() { stream_.say_farewell(); }

  io::Awaitable<void> serve() {
    if (identity_ && !co_await begin_tls()) co_return;
    while (co_await read_head()) {
      if (const HeadFault* fault = parser_.fault()) {
        co_await refuse(*fault);
        co_return;
      }
      if (!co_await answer()) co_return;
    }
  }

 private:
  const Limits& limits() const { return slot_.server().limits; }

  io::Awaitable<bool> begin_tls() {
    peer_.enter(Peer::Phase::kReading, limits().head_timeout);
    co_await stream_.socket().async_wait(ByteStream::Socket::wait_read, boost::asio::use_awaitable);
    char first = 0;
    if (::recv(stream_.fd(), &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1) co_return false;
    if (first >= 'A' && first <= 'Z') {  // a method, and no TLS record (RFC 8446, 5.1)
      co_await refuse({400, "this port speaks HTTPS: the request came as plain HTTP"});
      co_return false;
    }
    const bool begun = co_await stream_.begin_tls(identity_->current());
    if (!begun) metrics().handshakes.add();
    co_return begun;
  }

  // False when there will be no further request. True with a whole head, or with a fault in the parser.
  io::Awaitable<bool> read_head() {
    parser_.reset(limits().head_bytes);
    if (input_.empty()) {
      peer_.enter(Peer::Phase::kIdle, limits().idle_timeout);
      if (peer_.retired()) co_return false;
      if (!co_await read_more()) co_return false;
    }
    peer_.enter(Peer::Phase::kReading, limits().head_timeout);
    while (true) {
      input_.take(parser_.put(input_.bytes()));
      if (parser_.head_done() || parser_.fault() != nullptr) co_return true;
      if (!co_await read_more()) break;
    }
    if (peer_.expired()) co_await refuse({408, "the request's head took too long"});
    co_return false;
  }

  io::Awaitable<bool> read_more() {
    const std::span<char> room = input_.room();
    const std::size_t n = co_await stream_.wait_and_receive(room);
    input_.added(n);
    co_return n > 0;
  }

  io::Awaitable<void> refuse(HeadFault fault) {
    metrics().refused.add();
    peer_.enter(Peer::Phase::kBusy, limits().body_stall_timeout);
    Request nobody;
    Response response = plain(fault.status, fault.reason);
    co_await respond(nobody, response, false);
    co_await linger();
  }

  // One request and its response. False when the connection is to end.
  io::Awaitable<bool> answer() {
    metrics().requests.add();
    peer_.enter(Peer::Phase::kBusy, std::chrono::milliseconds(0));
    Request& request = parser_.request();
    request.remote_address = remote_address_;
    request.tls = stream_.tls();
    RequestBody body(stream_, parser_, input_, peer_, limits().body_stall_timeout);
    Response response = co_await run_handler(request, body);
    if (body.peer_gone()) co_return false;
    const bool keep = parser_.keep_alive() && !peer_.retired() && body.can_be_drained(kDrainLimit);
    if (!co_await respond(request, response, keep)) co_return false;
    if (!keep || !co_await body.drain(kDrainLimit)) {
      if (!body.finished()) co_await linger();
      co_return false;
    }
    input_.shrink();
    co_return true;
  }

  io::Awaitable<Response> run_handler(Request& request, RequestBody& body) {
    Response failure;
    try {
      co_return co_await (*handler_)(request, body);
    } catch (const BodyTooLarge& error) {
      failure = plain(413, error.what());
    } catch (const BodyError& error) {
      failure = plain(body.timed_out() ? 408 : 400, error.what());
    } catch (const std::exception& error) {
      failure = fail(request, error.what());
    }
    co_return failure;
  }

  static Response fail(const Request& request, std::string_view why) {
    metrics().failed.add();
    core::log::error("{} {}: {}", request.method, request.target, why);
    return plain(500, "");
  }

  // False when the connection can carry nothing more.
  io::Awaitable<bool> respond(const Request& request, Response& response, bool keep) {
    peer_.enter(Peer::Phase::kBusy, limits().body_stall_timeout);
    try {
      output_.clear();
      append_head(request, response, keep);
      if (!carries_body(response.status, request.method)) {
        co_await send({});
      } else if (const auto* file = std::get_if<FileBody>(&response.body)) {
        co_await send_file(*file);
      } else {
        co_await send(std::get<std::string>(response.body));
      }
    } catch (const core::Error& error) {
      core::log::debug("{} {}: {}", request.method, request.target, error.what());
      co_return false;
    }
    co_return true;
  }

  void append_head(const Request& request, Response& response, bool keep) {
    const bool old = parser_.http_1_0();
    try {
      append_response_head(output_, request, response, keep, old);
    } catch (const core::Error& error) {
      response = fail(request, error.what());
      output_.clear();
      append_response_head(output_, request, response, keep, old);
    }
  }

  io::Awaitable<void> send(std::string_view body) {
    if (body.size() <= kCopiedBody) {
      output_.append(body);
      body = {};
    }
    iovec parts[] = {part_of(output_), part_of(body)};
    if (!stream_.try_send(parts)) co_await stream_.send(parts, progress_);
  }

  io::Awaitable<void> send_file(const FileBody& file) {
    iovec head[] = {part_of(output_)};
    // MSG_MORE: the head leaves in one packet with the file's first bytes.
    if (!stream_.try_send(head, file.length > 0 ? MSG_MORE : 0)) co_await stream_.send(head, progress_);
    co_await stream_.send_file(file.file.get(), file.offset, file.length, progress_);
  }

  io::Awaitable<void> linger() {
    stream_.end_sending();
    peer_.enter(Peer::Phase::kBusy, kLingerTime);
    std::string away(64 * 1024, '\0');
    std::uint64_t taken = 0;
    while (taken < kLingerLimit) {
      const std::size_t n = co_await stream_.receive(away, nullptr);
      if (n == 0) co_return;
      taken += n;
    }
  }

  const Slot slot_;
  const std::shared_ptr<const Handler> handler_;
  const std::string remote_address_;
  const std::shared_ptr<const TlsIdentity> identity_;
  ByteStream stream_;
  Peer peer_;  // after stream_: taken off the list before the descriptor is closed
  InputBuffer input_;
  RequestParser parser_;
  std::string output_;
  const ByteStream::Progress progress_ = [this] { peer_.extend(limits().body_stall_timeout); };
};

}  // namespace

io::Awaitable<void> serve_connection(std::shared_ptr<const Handler> handler, Accepted accepted) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Connection connection(std::move(handler), std::move(accepted), executor);
  co_await connection.serve();
}

}  // namespace sampan::http
