#include "http/exchange.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/text.h"
#include "http/response_head.h"

namespace sampan::http {
namespace {

constexpr std::size_t kHeadLimit = 256 * 1024;
constexpr std::size_t kPiece = 256 * 1024;
constexpr int kInterimLimit = 16;  // heads of 1xx before the answer

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
  if (!request.connections) out.append("Connection: close\r\n");
  return out.append("\r\n");
}

[[noreturn]] void throw_cut_short() {
  throw core::Error("read the response's body", "the server closed the connection before its end");
}

// RFC 9110, 9.2.2: a kept connection may turn out to be dead; what is asked twice must do no harm.
bool may_be_asked_twice(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
}

}  // namespace

Exchange::Deadline Exchange::deadline_of(const ClientRequest& request) {
  if (request.total_time.count() <= 0) return Deadline::max();
  return std::chrono::steady_clock::now() + request.total_time;
}

Exchange::Exchange(const ClientRequest& request, const Url& url, const boost::asio::any_io_executor& executor,
                   Deadline deadline)
    : request_(request),
      url_(url),
      executor_(executor),
      deadline_(deadline),
      parser_(kHeadLimit),
      buffer_(kPiece) {}

void Exchange::allow() {
  auto time = request_.timeout;
  if (deadline_ != Deadline::max()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    time = std::clamp(left, std::chrono::milliseconds(1), time);
  }
  line_->watchdog.allow(time);
}

bool Exchange::take_kept() {
  if (!request_.connections || !may_be_asked_twice(request_.method)) return false;
  line_ = request_.connections->take(url_);
  if (!line_) return false;
  // Kept by somebody whose rule allowed it; ours may not.
  const bool refused = request_.may_reach && !line_->peer.empty() && request_.may_reach(url_, line_->peer);
  if (refused) line_.reset();
  return line_ != nullptr;
}

io::Awaitable<void> Exchange::open() {
  line_ = std::make_unique<Line>(executor_);
  const Trust* trust = request_.connections ? &request_.connections->trust() : nullptr;
  auto time = request_.timeout;
  if (deadline_ != Deadline::max()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    time = std::clamp(left, std::chrono::milliseconds(1), time);
  }
  const ConnectRules rules{trust, request_.may_reach};
  line_->transport = co_await connect(url_, line_->watchdog, time, rules, line_->peer);
}

io::Awaitable<ClientResponse> Exchange::head() {
  bool again = false;
  if (take_kept()) {
    try {
      co_await send_and_read_head();
    } catch (const core::Error&) {
      // The server closed it just now: that is no failure of this request.
      if (heard_ || timed_out()) throw;
      again = true;
    }
  } else {
    again = true;
  }
  if (again) {
    parser_ = ResponseParser(kHeadLimit);
    begin_ = end_ = 0;
    co_await open();
    co_await send_and_read_head();
  }
  ClientResponse response;
  response.status = parser_.status();
  response.headers = std::move(parser_.headers());
  framing_ = parser_.framing(request_.method);
  left_ = parser_.content_length();
  co_return response;
}

io::Awaitable<void> Exchange::send_and_read_head() {
  const std::string head = render_request(request_, url_);
  allow();
  std::string send_failure;
  try {
    co_await line_->transport->write(head, request_.body);
    if (!request_.body_file.empty()) co_await write_file();
  } catch (const core::Error& error) {
    send_failure = error.what();  // a server that refuses a body answers before it has read it
  }
  allow();
  co_await read_head(send_failure);
}

io::Awaitable<std::span<const char>> Exchange::next_piece() {
  allow();
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

// The response has been read to its last byte, and nothing follows it.
bool Exchange::is_whole() const {
  if (begin_ != end_) return false;
  switch (framing_) {
    case ResponseParser::Framing::kNone:
      return true;
    case ResponseParser::Framing::kCounted:
      return left_ == 0;
    case ResponseParser::Framing::kChunked:
      return parser_.chunked_done();
    default:
      return false;
  }
}

void Exchange::keep() {
  if (!request_.connections || !line_ || timed_out() || !is_whole() || !parser_.keeps_alive()) return;
  request_.connections->give(url_, std::move(line_));
}

io::Awaitable<void> Exchange::write_file() {
  const auto file = io::open_file(request_.body_file, O_RDONLY);
  std::vector<char> piece(kPiece);
  for (;;) {
    const auto n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0) throw core::errno_error("read " + request_.body_file);
    if (n == 0) co_return;
    allow();
    co_await line_->transport->write(std::string_view(piece.data(), static_cast<std::size_t>(n)), {});
  }
}

io::Awaitable<void> Exchange::read_head(const std::string& send_failure) {
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
io::Awaitable<bool> Exchange::fill() {
  if (begin_ > 0) std::copy(buffer_.begin() + begin_, buffer_.begin() + end_, buffer_.begin());
  end_ -= std::exchange(begin_, 0);
  const std::size_t n =
      co_await line_->transport->read_some(std::span<char>(buffer_.data() + end_, buffer_.size() - end_));
  end_ += static_cast<std::ptrdiff_t>(n);
  heard_ = heard_ || n > 0;
  co_return n > 0;
}

io::Awaitable<std::span<const char>> Exchange::any_piece(std::size_t limit) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    // A deadline ends the socket's reading, which looks like the server's orderly end.
    if (!co_await fill() && timed_out()) throw core::Error("read the response's body", "too slow");
  }
  const std::size_t n = std::min<std::size_t>(limit, end_ - begin_);
  const std::span<const char> piece(buffer_.data() + begin_, n);
  begin_ += static_cast<std::ptrdiff_t>(n);
  co_return piece;
}

io::Awaitable<std::span<const char>> Exchange::counted_piece() {
  if (left_ == 0) co_return std::span<const char>();
  const auto piece = co_await any_piece(std::min<std::uint64_t>(left_, SIZE_MAX));
  if (piece.empty()) throw_cut_short();
  left_ -= piece.size();
  co_return piece;
}

io::Awaitable<std::span<const char>> Exchange::chunked_piece() {
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

}  // namespace sampan::http
