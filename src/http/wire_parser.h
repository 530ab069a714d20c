// What RequestParser and ResponseParser share of Boost.Beast: only their two .cpp files include this.
#pragma once

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <span>
#include <string>

namespace sampan::http {

using WireText = boost::beast::string_view;
using WireError = boost::beast::http::error;
using boost::system::error_code;

inline std::string_view view_of(WireText text) {
  return {text.data(), text.size()};
}

template <bool is_request>
class WireParser : public boost::beast::http::basic_parser<is_request> {
 public:
  struct Outcome {
    std::size_t taken = 0;
    std::size_t produced = 0;
    bool bad = false;
  };

  Outcome put_chunked(std::span<const char> bytes, std::span<char> buffer) {
    error_code error;
    this->eager(true);
    buffer_ = buffer;
    filled_ = 0;
    Outcome outcome;
    outcome.taken = this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    outcome.produced = filled_;
    outcome.bad = error && error != WireError::need_more && error != WireError::need_buffer;
    return outcome;
  }

 private:
  // Not for this kind of message; the final class overrides the one that is.
  void on_request_impl(boost::beast::http::verb, WireText, WireText, int, error_code&) override {}
  void on_response_impl(int, WireText, int, error_code&) override {}
  // Bodies that are not chunked never pass through the parser.
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(WireText, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, WireText, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, WireText body, error_code& error) override {
    const std::size_t n = std::min(body.size(), buffer_.size() - filled_);
    std::memcpy(buffer_.data() + filled_, body.data(), n);
    filled_ += n;
    if (n < body.size()) error = WireError::need_buffer;
    return n;
  }

  std::span<char> buffer_;
  std::size_t filled_ = 0;
};

}  // namespace sampan::http
