#include "http/request_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <functional>
#include <optional>

#include "core/text.h"

namespace sampan::http {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;
using BeastError = beast::http::error;
using Text = beast::string_view;

std::string_view view_of(Text text) {
  return {text.data(), text.size()};
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "http://host:1/path" as a proxy sends it (RFC 9112, 3.2.2): the host counts, whatever the Host field says.
void take_absolute_form(Request& request) {
  constexpr std::string_view kScheme = "http://";
  if (!core::equal_ignoring_case(std::string_view(request.target).substr(0, kScheme.size()), kScheme)) return;
  const std::size_t path =
      std::min(request.target.find_first_of("/?", kScheme.size()), request.target.size());
  request.headers.set("Host", request.target.substr(kScheme.size(), path - kScheme.size()));
  request.target.erase(0, path);
  if (request.target.empty() || request.target[0] == '?') request.target.insert(0, "/");
}

class Parser final : public beast::http::basic_parser<true> {
 public:
  explicit Parser(std::size_t head_limit) {
    header_limit(static_cast<std::uint32_t>(head_limit));
    body_limit(boost::none);  // the handler's to decide
  }

  void see(std::span<const char> input) { input_ = input; }
  void fill(std::span<char> buffer) {
    buffer_ = buffer;
    filled_ = 0;
  }
  std::size_t filled() const { return filled_; }
  int http_version() const { return version_; }  // 10 or 11

  Request request;
  std::optional<HeadFault> fault;
  bool expects_continue = false;

 private:
  void refuse(error_code& error, int status, std::string reason) {
    if (!fault) fault = HeadFault{status, std::move(reason)};
    error = BeastError::bad_field;
  }

  void on_request_impl(beast::http::verb, Text method, Text target, int version, error_code&) override {
    version_ = version;
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
  }

  void on_field_impl(beast::http::field field, Text name, Text value, error_code& error) override {
    if (in_trailer_) return;  // nothing here reads trailers, and they must not pass for headers
    if (is_folded(value)) return refuse(error, 400, "a header field is continued on the next line");
    switch (field) {
      case beast::http::field::host:
        if (std::exchange(has_host_, true)) return refuse(error, 400, "two Host fields");
        break;
      case beast::http::field::content_length:
        if (std::exchange(has_length_, true)) return refuse(error, 400, "two Content-Length fields");
        if (!all_digits(view_of(value))) return refuse(error, 400, "Content-Length is not a number");
        break;
      case beast::http::field::transfer_encoding:
        if (version_ < 11) return refuse(error, 400, "Transfer-Encoding in HTTP/1.0");
        if (!core::equal_ignoring_case(view_of(value), "chunked")) {
          return refuse(error, 501, "a Transfer-Encoding other than chunked");
        }
        break;
      case beast::http::field::expect:
        if (!core::equal_ignoring_case(view_of(value), "100-continue")) {
          return refuse(error, 417, "an Expect other than 100-continue");
        }
        expects_continue = version_ >= 11;
        break;
      default:
        break;
    }
    request.headers.add(view_of(name), std::string(value.data(), value.size()));
  }

  void on_header_impl(error_code& error) override {
    if (!has_host_ && version_ >= 11) return refuse(error, 400, "no Host field");
    take_absolute_form(request);
    const bool known_form = request.target[0] == '/' || request.target == "*" || request.method == "CONNECT";
    if (!known_form) return refuse(error, 400, "the request's target is neither a path nor a URL");
    if (const auto length = content_length()) request.content_length = *length;
    in_trailer_ = true;
  }

  void on_response_impl(int, Text, int, error_code&) override {}  // requests only
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(Text, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, Text body, error_code& error) override {
    const std::size_t n = std::min(body.size(), buffer_.size() - filled_);
    std::memcpy(buffer_.data() + filled_, body.data(), n);
    filled_ += n;
    if (n < body.size()) error = BeastError::need_buffer;
    return n;
  }

  void on_finish_impl(error_code&) override {}

  // The parser joins the lines of a folded field in a place of its own.
  bool is_folded(Text value) const {
    const std::less<const char*> before;
    return !value.empty() && (before(value.data(), input_.data()) ||
                              before(input_.data() + input_.size(), value.data() + value.size()));
  }

  std::span<const char> input_;
  std::span<char> buffer_;
  std::size_t filled_ = 0;
  int version_ = 11;
  bool has_host_ = false;
  bool has_length_ = false;
  bool in_trailer_ = false;
};

HeadFault explain(const error_code& error, std::size_t limit) {
  if (error == BeastError::header_limit) return {431, fmt::format("the head is larger than {} bytes", limit)};
  if (error == BeastError::bad_version) return {505, "neither HTTP/1.1 nor HTTP/1.0"};
  return {400, error.message()};
}

}  // namespace

struct RequestParser::Impl {
  std::optional<Parser> parser;
  std::size_t head_limit = 0;
  std::size_t head_size = 0;  // taken so far
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) {}
RequestParser::~RequestParser() = default;

void RequestParser::reset(std::size_t head_limit) {
  impl_->parser.emplace(head_limit);
  impl_->head_limit = head_limit;
  impl_->head_size = 0;
}

std::size_t RequestParser::put(std::span<const char> bytes) {
  Parser& parser = *impl_->parser;
  error_code error;
  parser.see(bytes);
  const std::size_t taken = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  impl_->head_size += taken;
  if (error == BeastError::need_more) {
    error = {};
    // Beast counts the request's line and the fields each by themselves.
    const std::size_t seen = impl_->head_size + (bytes.size() - taken);
    if (seen >= impl_->head_limit) error = BeastError::header_limit;
  } else if (!error && impl_->head_size > impl_->head_limit) {
    error = BeastError::header_limit;
  }
  if (error && !parser.fault) parser.fault = explain(error, impl_->head_limit);
  return taken;
}

bool RequestParser::head_done() const {
  return !impl_->parser->fault && impl_->parser->is_header_done();
}

const HeadFault* RequestParser::fault() const {
  return impl_->parser->fault ? &*impl_->parser->fault : nullptr;
}

Request& RequestParser::request() {
  return impl_->parser->request;
}
bool RequestParser::keep_alive() const {
  return impl_->parser->keep_alive();
}
bool RequestParser::http_1_0() const {
  return impl_->parser->http_version() < 11;
}
bool RequestParser::expects_continue() const {
  return impl_->parser->expects_continue;
}
bool RequestParser::chunked() const {
  return impl_->parser->chunked();
}

RequestParser::Piece RequestParser::put_chunked(std::span<const char> bytes, std::span<char> buffer) {
  Parser& parser = *impl_->parser;
  error_code error;
  parser.eager(true);
  parser.see(bytes);
  parser.fill(buffer);
  Piece piece;
  piece.taken = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  piece.produced = parser.filled();
  piece.bad = error && error != BeastError::need_more && error != BeastError::need_buffer;
  return piece;
}

bool RequestParser::chunked_done() const {
  return impl_->parser->is_done();
}

}  // namespace sampan::http
