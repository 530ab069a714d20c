// The body of the request at work on a connection, read straight into its reader's buffer. Part of
// connection.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "http/byte_stream.h"
#include "http/message.h"
#include "http/peers.h"
#include "http/request_parser.h"

namespace sampan::http {

// Bytes that were read and not yet taken: the end of one read is often the beginning of the next request.
class InputBuffer {
 public:
  explicit InputBuffer(std::size_t head_limit) : head_limit_(head_limit) {}
  bool empty() const { return begin_ == end_; }
  std::span<const char> bytes() const { return {storage_.data() + begin_, end_ - begin_}; }
  void take(std::size_t n);
  // Where to read to. Grows up to the limit of a head; a full buffer is a fault of the head long before.
  std::span<char> room();
  void added(std::size_t n) { end_ += n; }
  void reserve(std::size_t size);
  void shrink();  // gives back what only a body needed

 private:
  std::size_t head_limit_;
  std::vector<char> storage_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class RequestBody final : public BodyReader {
 public:
  RequestBody(ByteStream& stream, RequestParser& parser, InputBuffer& input, Peer& peer,
              std::chrono::milliseconds stall_limit);

  io::Awaitable<std::size_t> read_some(std::span<char> buffer) override;

  bool finished() const { return finished_; }  // all of it was read
  bool peer_gone() const { return peer_gone_; }
  bool timed_out() const { return timed_out_; }
  // Whether what is left is small enough to be read away, as far as that can be told now.
  bool can_be_drained(std::uint64_t limit) const;
  // Reads away what is left; false when it is more than `limit` or does not come.
  io::Awaitable<bool> drain(std::uint64_t limit);

 private:
  io::Awaitable<std::size_t> read_counted(std::span<char> buffer);
  io::Awaitable<std::size_t> read_chunked(std::span<char> buffer);
  io::Awaitable<std::size_t> receive(std::span<char> buffer);
  io::Awaitable<void> invite();
  [[noreturn]] void fail(const char* why);

  ByteStream& stream_;
  RequestParser& parser_;
  InputBuffer& input_;
  Peer& peer_;
  const ByteStream::Progress progress_;
  std::uint64_t left_;  // of a counted body
  bool invited_;        // no "100 Continue" is waited for any more
  bool finished_;
  bool broken_ = false;
  bool peer_gone_ = false;
  bool timed_out_ = false;
};

}  // namespace sampan::http
