#include "http/request_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "core/text.h"
#include "http/wire_parser.h"

namespace sampan::http {
namespace {

namespace beast = boost::beast;

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

class Parser final : public WireParser<true> {
 public:
  explicit Parser(std::size_t head_limit) {
    header_limit(static_cast<std::uint32_t>(head_limit));
    body_limit(boost::none);  // the handler's to decide
  }

  void see(std::span<const char> input) { input_ = input; }
  int http_version() const { return version_; }  // 10 or 11

  Request request;
  std::optional<HeadFault> fault;
  bool expects_continue = false;

 private:
  void refuse(error_code& error, int status, std::string reason) {
    if (!fault) fault = HeadFault{status, std::move(reason)};
    error = WireError::bad_field;
  }

  void on_request_impl(beast::http::verb, WireText method, WireText target, int version,
                       error_code&) override {
    version_ = version;
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
  }

  void on_field_impl(beast::http::field field, WireText name, WireText value, error_code& error) override {
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

  // The parser joins the lines of a folded field in a place of its own.
  bool is_folded(WireText value) const {
    const std::less<const char*> before;
    return !value.empty() && (before(value.data(), input_.data()) ||
                              before(input_.data() + input_.size(), value.data() + value.size()));
  }

  std::span<const char> input_;
  int version_ = 11;
  bool has_host_ = false;
  bool has_length_ = false;
  bool in_trailer_ = false;
};

HeadFault explain(const error_code& error, std::size_t limit) {
  if (error == WireError::header_limit) return {431, fmt::format("the head is larger than {} bytes", limit)};
  if (error == WireError::bad_version) return {505, "neither HTTP/1.1 nor HTTP/1.0"};
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
  if (error == WireError::need_more) {
    error = {};
    // Beast counts the request's line and the fields each by themselves.
    const std::size_t seen = impl_->head_size + (bytes.size() - taken);
    if (seen >= impl_->head_limit) error = WireError::header_limit;
  } else if (!error && impl_->head_size > impl_->head_limit) {
    error = WireError::header_limit;
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
  const auto [taken, produced, bad] = impl_->parser->put_chunked(bytes, buffer);
  return {taken, produced, bad};
}

bool RequestParser::chunked_done() const {
  return impl_->parser->is_done();
}

}  // namespace sampan::http
