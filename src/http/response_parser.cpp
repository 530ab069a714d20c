#include "http/response_parser.h"

#include "core/error.h"
#include "http/wire_parser.h"

namespace sampan::http {
namespace {

class Parser final : public WireParser<false> {
 public:
  explicit Parser(std::size_t head_limit) {
    header_limit(static_cast<std::uint32_t>(head_limit));
    body_limit(boost::none);  // the caller's to decide
  }

  Headers headers;
  int status = 0;

 private:
  void on_response_impl(int code, WireText, int, error_code&) override { status = code; }

  void on_field_impl(boost::beast::http::field, WireText name, WireText value, error_code&) override {
    if (in_trailer_) return;
    headers.add(view_of(name), std::string(value.data(), value.size()));
  }

  void on_header_impl(error_code&) override { in_trailer_ = true; }

  bool in_trailer_ = false;
};

}  // namespace

struct ResponseParser::Impl {
  explicit Impl(std::size_t limit) : parser(limit), head_limit(limit) {}
  Parser parser;
  const std::size_t head_limit;
  std::size_t head_size = 0;
};

ResponseParser::ResponseParser(std::size_t head_limit) : impl_(std::make_unique<Impl>(head_limit)) {}
ResponseParser::~ResponseParser() = default;
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;

std::size_t ResponseParser::put(std::span<const char> bytes) {
  error_code error;
  const std::size_t taken = impl_->parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  impl_->head_size += taken;
  if (error == WireError::need_more) {
    error = {};
    if (impl_->head_size + (bytes.size() - taken) >= impl_->head_limit) error = WireError::header_limit;
  }
  if (error) throw core::Error("read the response's head", error.message());
  return taken;
}

bool ResponseParser::head_done() const {
  return impl_->parser.is_header_done();
}
int ResponseParser::status() const {
  return impl_->parser.status;
}
Headers& ResponseParser::headers() {
  return impl_->parser.headers;
}

ResponseParser::Framing ResponseParser::framing(std::string_view request_method) const {
  const int code = status();
  if (request_method == "HEAD" || code < 200 || code == 204 || code == 304) return Framing::kNone;
  if (impl_->parser.chunked()) return Framing::kChunked;
  if (impl_->parser.content_length()) return Framing::kCounted;
  return Framing::kUntilClose;
}

std::uint64_t ResponseParser::content_length() const {
  return impl_->parser.content_length().value_or(0);
}

bool ResponseParser::keeps_alive() const {
  return impl_->parser.keep_alive();
}

ResponseParser::Piece ResponseParser::put_chunked(std::span<const char> bytes, std::span<char> buffer) {
  const auto outcome = impl_->parser.put_chunked(bytes, buffer);
  if (outcome.bad) throw core::Error("read the response's body", "it is not chunked encoding");
  return {outcome.taken, outcome.produced};
}

bool ResponseParser::chunked_done() const {
  return impl_->parser.is_done();
}

}  // namespace sampan::http
