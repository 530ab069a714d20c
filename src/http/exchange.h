// One request and its response over one connection, a new one or one kept from an earlier call. Part of
// client.cpp.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "http/client.h"
#include "http/line.h"
#include "http/response_parser.h"

namespace sampan::http {

class Exchange {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  static Deadline deadline_of(const ClientRequest& request);

  // Request and URL outlive it.
  Exchange(const ClientRequest& request, const Url& url, const boost::asio::any_io_executor& executor,
           Deadline deadline);

  bool timed_out() const { return line_ && line_->watchdog.expired(); }
  void pause() { line_->watchdog.pause(); }  // while the caller is at work
  io::Awaitable<ClientResponse> head();
  // Empty at the end. The piece stays valid until the next call.
  io::Awaitable<std::span<const char>> next_piece();
  // Leaves the connection to later calls, if it is good for them.
  void keep();

 private:
  bool take_kept();
  io::Awaitable<void> open();
  io::Awaitable<void> send_and_read_head();
  io::Awaitable<void> write_file();
  io::Awaitable<void> read_head(const std::string& send_failure);
  io::Awaitable<bool> fill();
  io::Awaitable<std::span<const char>> any_piece(std::size_t limit);
  io::Awaitable<std::span<const char>> counted_piece();
  io::Awaitable<std::span<const char>> chunked_piece();
  void allow();
  bool is_whole() const;

  const ClientRequest& request_;
  const Url& url_;
  boost::asio::any_io_executor executor_;
  Deadline deadline_;
  std::unique_ptr<Line> line_;
  ResponseParser parser_;
  std::vector<char> buffer_;
  std::ptrdiff_t begin_ = 0;
  std::ptrdiff_t end_ = 0;
  bool heard_ = false;  // a byte of the response has come
  std::vector<char> decoded_;
  ResponseParser::Framing framing_ = ResponseParser::Framing::kNone;
  std::uint64_t left_ = 0;
};

}  // namespace sampan::http
