#include "http/client.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/text.h"
#include "http/response_head.h"
#include "http/response_parser.h"
#include "http/transport.h"

namespace sampan::http {
namespace {

constexpr std::size_t kHeadLimit = 256 * 1024;
constexpr std::size_t kPiece = 256 * 1024;
constexpr int kInterimLimit = 16;  // heads of 1xx before the answer

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::uint64_t body_size(const ClientRequest& request) {
  return request.body_file.empty() ? request.body.size() : std::filesystem::file_size(request.body_file);
}

std::string render_request(const ClientRequest& request, const Url& url) {
  if (!is_token(request.method)) throw core::Error("send the request", "the method is not a token");
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", request.method, url.target);
  if (!request.headers.find("Host")) out.append("Host: ").append(url.host_header()).append("\r\n");
  if (!request.headers.find("User-Agent")) out.append("User-Agent: sampan\r\n");
  for (const auto& [name, value] : request.headers) {
    if (core::equal_ignoring_case(name, "Content-Length") || core::equal_ignoring_case(name, "Connection") ||
        core::equal_ignoring_case(name, "Transfer-Encoding")) {
      continue;
    }
    if (!is_token(name) || !is_field_value(value)) {
      throw core::Error("send the header field " + name.substr(0, 64),
                        "it holds a line break or a separator");
    }
    out.append(name).append(": ").append(value).append("\r\n");
  }
  const bool may_have_body =
      request.method != "GET" && request.method != "HEAD" && request.method != "DELETE";
  const auto size = body_size(request);
  if (may_have_body || size > 0) out.append(fmt::format("Content-Length: {}\r\n", size));
  return out.append("Connection: close\r\n\r\n");
}

// One request and its response over one connection.
class Exchange {
 public:
  Exchange(const ClientRequest& request, const Url& url, const boost::asio::any_io_executor& executor)
      : request_(request), url_(url), watchdog_(executor), buffer_(kPiece) {}

  bool timed_out() const { return watchdog_.expired(); }
  void pause() { watchdog_.pause(); }  // while the caller is at work

  io::Awaitable<ClientResponse> head() {
    const std::string head = render_request(request_, url_);
    transport_ = co_await connect(url_, watchdog_, request_.timeout);
    watchdog_.allow(request_.timeout);
    std::string send_failure;
    try {
      co_await transport_->write(head, request_.body);
      if (!request_.body_file.empty()) co_await write_file();
    } catch (const core::Error& error) {
      send_failure = error.what();  // a server that refuses a body answers before it has read it
    }
    watchdog_.allow(request_.timeout);
    co_await read_head(send_failure);
    ClientResponse response;
    response.status = parser_.status();
    response.headers = std::move(parser_.headers());
    framing_ = parser_.framing(request_.method);
    left_ = parser_.content_length();
    co_return response;
  }

  // 0 at the end. The piece stays valid until the next call.
  io::Awaitable<std::span<const char>> next_piece() {
    watchdog_.allow(request_.timeout);
    switch (framing_) {
      case ResponseParser::Framing::kNone:
        co_return std::span<const char>();
      case ResponseParser::Framing::kCounted:
        co_return co_await counted_piece();
      case ResponseParser::Framing::kChunked:
        co_return co_await chunked_piece();
      case ResponseParser::Framing::kUntilClose:
        co_return co_await any_piece(SIZE_MAX);
    }
    co_return std::span<const char>();
  }

 private:
  io::Awaitable<void> write_file() {
    const auto file = io::open_file(request_.body_file, O_RDONLY);
    std::vector<char> piece(kPiece);
    for (;;) {
      const auto n = ::read(file.get(), piece.data(), piece.size());
      if (n < 0) throw core::errno_error("read " + request_.body_file);
      if (n == 0) co_return;
      watchdog_.allow(request_.timeout);
      co_await transport_->write(std::string_view(piece.data(), static_cast<std::size_t>(n)), {});
    }
  }

  io::Awaitable<void> read_head(const std::string& send_failure) {
    int interim = 0;
    while (true) {
      if (begin_ < end_) begin_ += parser_.put(std::span<const char>(buffer_.data() + begin_, end_ - begin_));
      if (parser_.head_done() && parser_.status() >= 200) co_return;
      if (parser_.head_done()) {
        if (parser_.status() == 101 || ++interim > kInterimLimit) {
          throw core::Error("read the response", "interim responses that were not asked for");
        }
        parser_ = ResponseParser(kHeadLimit);
        continue;
      }
      if (!co_await fill()) {
        if (!send_failure.empty()) throw core::Error("send the request", send_failure);
        throw core::Error("read the response's head", "the server closed the connection");
      }
    }
  }

  // More bytes behind those still there.
  io::Awaitable<bool> fill() {
    if (begin_ > 0) std::copy(buffer_.begin() + begin_, buffer_.begin() + end_, buffer_.begin());
    end_ -= std::exchange(begin_, 0);
    const std::size_t n =
        co_await transport_->read_some(std::span<char>(buffer_.data() + end_, buffer_.size() - end_));
    end_ += static_cast<std::ptrdiff_t>(n);
    co_return n > 0;
  }

  io::Awaitable<std::span<const char>> any_piece(std::size_t limit) {
    if (begin_ == end_) {
      begin_ = end_ = 0;
      // A deadline ends the socket's reading, which looks like the server's orderly end.
      if (!co_await fill() && watchdog_.expired()) throw core::Error("read the response's body", "too slow");
    }
    const std::size_t n = std::min<std::size_t>(limit, end_ - begin_);
    const std::span<const char> piece(buffer_.data() + begin_, n);
    begin_ += static_cast<std::ptrdiff_t>(n);
    co_return piece;
  }

  io::Awaitable<std::span<const char>> counted_piece() {
    if (left_ == 0) co_return std::span<const char>();
    const auto piece = co_await any_piece(std::min<std::uint64_t>(left_, SIZE_MAX));
    if (piece.empty()) throw_cut_short();
    left_ -= piece.size();
    co_return piece;
  }

  io::Awaitable<std::span<const char>> chunked_piece() {
    if (decoded_.empty()) decoded_.resize(kPiece);
    while (!parser_.chunked_done()) {
      if (begin_ < end_) {
        const std::span<const char> input(buffer_.data() + begin_, end_ - begin_);
        const auto piece = parser_.put_chunked(input, decoded_);
        begin_ += static_cast<std::ptrdiff_t>(piece.taken);
        if (piece.produced > 0) co_return std::span<const char>(decoded_).first(piece.produced);
        if (parser_.chunked_done()) break;
      }
      if (begin_ == 0 && end_ == static_cast<std::ptrdiff_t>(buffer_.size())) {
        throw core::Error("read the response's body", "it is not chunked encoding");
      }
      if (!co_await fill()) throw_cut_short();
    }
    co_return std::span<const char>();
  }

  [[noreturn]] static void throw_cut_short() {
    throw core::Error("read the response's body", "the server closed the connection before its end");
  }

  const ClientRequest& request_;
  const Url& url_;
  Watchdog watchdog_;
  std::unique_ptr<Transport> transport_;
  ResponseParser parser_{kHeadLimit};
  std::vector<char> buffer_;
  std::ptrdiff_t begin_ = 0;
  std::ptrdiff_t end_ = 0;
  std::vector<char> decoded_;
  ResponseParser::Framing framing_ = ResponseParser::Framing::kNone;
  std::uint64_t left_ = 0;
};

io::Awaitable<void> read_body(Exchange& exchange, ClientResponse& response, std::size_t limit) {
  while (true) {
    const auto piece = co_await exchange.next_piece();
    if (piece.empty()) co_return;
    if (response.body.size() + piece.size() > limit) {
      throw core::Error("read the response's body", fmt::format("it is larger than {} bytes", limit));
    }
    response.body.append(piece.data(), piece.size());
  }
}

io::Awaitable<void> hand_over_body(Exchange& exchange, const BodySink& sink) {
  while (true) {
    const auto piece = co_await exchange.next_piece();
    if (piece.empty()) co_return;
    exchange.pause();
    co_await sink(piece);
  }
}

bool follows(const ClientRequest& request, const ClientResponse& response) {
  return request.max_redirects > 0 && is_redirect(response.status) && response.headers.find("Location");
}

// RFC 9110, 15.4: what is asked of the new place.
Url redirect(ClientRequest& request, const Url& from, const ClientResponse& response) {
  Url to = resolve_location(from, response.headers.get("Location"));
  const bool was_post = request.method == "POST" && (response.status == 301 || response.status == 302);
  if (was_post || (response.status == 303 && request.method != "HEAD")) {
    request.method = "GET";
    request.body.clear();
    request.body_file.clear();
    request.headers.erase("Content-Type");
  }
  request.headers.erase("Host");
  if (to.origin() != from.origin()) {
    request.headers.erase("Authorization");
    request.headers.erase("Cookie");
  }
  return to;
}

// Without a sink every body goes into the response.
io::Awaitable<ClientResponse> exchange_once(const ClientRequest& request, const Url& url,
                                            const BodySink* sink) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Exchange exchange(request, url, executor);
  std::string failure;
  try {
    ClientResponse response = co_await exchange.head();
    if (follows(request, response)) co_return response;
    const bool to_sink = sink != nullptr && response.status / 100 == 2;
    if (!to_sink) {
      co_await read_body(exchange, response, request.max_body);
      co_return response;
    }
    co_await hand_over_body(exchange, *sink);
    co_return response;
  } catch (const core::Error& error) {
    failure = error.what();
  }
  if (exchange.timed_out()) {
    failure = fmt::format("timed out after {:g}s", static_cast<double>(request.timeout.count()) / 1000.0);
  }
  throw core::Error(fmt::format("{} {}", request.method, url.printable()), failure);
}

io::Awaitable<ClientResponse> follow(ClientRequest request, const BodySink* sink) {
  Url url = parse_url(request.url);
  const int allowed = request.max_redirects;
  for (int redirects = 0;; ++redirects) {
    ClientResponse response = co_await exchange_once(request, url, sink);
    if (!follows(request, response)) co_return response;
    if (redirects == allowed) {
      throw core::Error(fmt::format("{} {}", request.method, url.printable()),
                        fmt::format("more than {} redirects", allowed));
    }
    url = redirect(request, url, response);
  }
}

}  // namespace

boost::asio::awaitable<ClientResponse> fetch(ClientRequest request) {
  co_return co_await follow(std::move(request), nullptr);
}

boost::asio::awaitable<ClientResponse> fetch_to(ClientRequest request, BodySink sink) {
  co_return co_await follow(std::move(request), &sink);
}

}  // namespace sampan::http
