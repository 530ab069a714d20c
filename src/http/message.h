// What an HTTP request and response are to the rest of Sampan: plain values, no Beast.
//
// A request's head is a value; its body is read as a stream through BodyReader, so that a blob of any
// size passes in constant memory. A response's body is a string, a part of a file (sent with
// sendfile where the connection is plain), or empty. Nobody here parses: http/server.h does.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "io/file.h"

namespace sampan::http {

// Header fields in the order received or to be sent. Names compare without case.
class Headers {
 public:
  // The first value of `name`, or nothing.
  std::optional<std::string_view> find(std::string_view name) const;
  // find(), or an empty view.
  std::string_view get(std::string_view name) const;
  void set(std::string_view name, std::string value);  // replaces every field of that name
  void add(std::string_view name, std::string value);
  void erase(std::string_view name);
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// `target` split at the first '?', nothing decoded: SigV4 signs the bytes as sent.
struct Request {
  std::string method;
  std::string target;
  Headers headers;
  std::string remote_address;  // "127.0.0.1", without the port
  bool tls = false;
  std::optional<std::uint64_t> content_length;  // absent when chunked or without a body

  std::string_view raw_path() const;   // "/v2/a%20b"
  std::string_view raw_query() const;  // "n=10&last=x", without '?'
};

// The query (or a form body) as pairs, percent-decoded, in order.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view raw);

// The body of one request, read by its handler and by nobody else. Reading past the end gives 0.
// Throws http::BodyError when the peer closes early, is too slow or sends bad chunks.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Reads some bytes into `buffer` (at least one unless at the end); returns how many.
  virtual boost::asio::awaitable<std::size_t> read_some(std::span<char> buffer) = 0;
  // The whole body; throws BodyTooLarge past `limit` bytes.
  boost::asio::awaitable<std::string> read_all(std::size_t limit);
};

class BodyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
class BodyTooLarge : public BodyError {
 public:
  using BodyError::BodyError;
};

// `length` bytes of an open file from `offset`. The descriptor is closed when the response is sent.
struct FileBody {
  io::UniqueFd file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody> body;
  // For HEAD: the Content-Length to announce for a body that is not sent.
  std::optional<std::uint64_t> head_length;

  static Response text(int status, std::string body, std::string_view content_type);
};

using Handler = std::function<boost::asio::awaitable<Response>(Request&, BodyReader&)>;

}  // namespace sampan::http
