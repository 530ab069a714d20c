// One HTTP/1.1 response off the wire, as RequestParser is for requests. Does no input or output.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "http/message.h"

namespace sampan::http {

class ResponseParser {
 public:
  explicit ResponseParser(std::size_t head_limit);
  ~ResponseParser();
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;

  // As RequestParser::put. Throws core::Error for what is no response.
  std::size_t put(std::span<const char> bytes);
  bool head_done() const;

  // The rest after head_done().
  int status() const;
  Headers& headers();
  enum class Framing { kNone, kCounted, kChunked, kUntilClose };
  Framing framing(std::string_view request_method) const;
  std::uint64_t content_length() const;
  bool keeps_alive() const;  // the connection is good for another request once the body is read

  struct Piece {
    std::size_t taken = 0;
    std::size_t produced = 0;
  };
  Piece put_chunked(std::span<const char> bytes, std::span<char> buffer);  // throws core::Error
  bool chunked_done() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sampan::http
