#include "http/request_body.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace sampan::http {
namespace {

constexpr std::size_t kFirstBuffer = 8 * 1024;
constexpr std::size_t kChunkBuffer = 256 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

void InputBuffer::take(std::size_t n) {
  begin_ += n;
  if (begin_ == end_) begin_ = end_ = 0;
}

std::span<char> InputBuffer::room() {
  if (storage_.empty()) storage_.resize(std::min(kFirstBuffer, head_limit_ + 1));
  if (end_ == storage_.size() && begin_ > 0) {
    std::memmove(storage_.data(), storage_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == storage_.size())
    storage_.resize(std::max(storage_.size(), std::min(storage_.size() * 2, head_limit_ + 1)));
  return std::span(storage_).subspan(end_);
}

void InputBuffer::reserve(std::size_t size) {
  if (storage_.size() < size) storage_.resize(size);
}

void InputBuffer::shrink() {
  if (!empty() || storage_.size() <= 4 * kFirstBuffer) return;
  storage_ = {};
}

RequestBody::RequestBody(ByteStream& stream, RequestParser& parser, InputBuffer& input, Peer& peer,
                         std::chrono::milliseconds stall_limit)
    : stream_(stream),
      parser_(parser),
      input_(input),
      peer_(peer),
      progress_([&peer, stall_limit] { peer.enter(Peer::Phase::kReading, stall_limit); }),
      left_(parser.request().content_length.value_or(0)),
      finished_(!parser.chunked() && left_ == 0) {
  invited_ = !parser.expects_continue() || finished_;
}

io::Awaitable<std::size_t> RequestBody::read_some(std::span<char> buffer) {
  if (finished_ || buffer.empty()) co_return 0;
  if (broken_) throw BodyError("the body broke off before");
  if (!invited_ && input_.empty()) co_await invite();
  const std::size_t n = parser_.chunked() ? co_await read_chunked(buffer) : co_await read_counted(buffer);
  peer_.enter(Peer::Phase::kBusy, std::chrono::milliseconds(0));  // the handler's own time is not the peer's
  co_return n;
}

io::Awaitable<std::size_t> RequestBody::read_counted(std::span<char> buffer) {
  buffer = buffer.first(std::min<std::uint64_t>(buffer.size(), left_));
  std::size_t n = std::min(buffer.size(), input_.bytes().size());
  if (n > 0) {
    std::memcpy(buffer.data(), input_.bytes().data(), n);
    input_.take(n);
  } else {
    n = co_await receive(buffer);
  }
  left_ -= n;
  finished_ = left_ == 0;
  co_return n;
}

io::Awaitable<std::size_t> RequestBody::read_chunked(std::span<char> buffer) {
  input_.reserve(kChunkBuffer);
  while (true) {
    if (!input_.empty()) {
      const RequestParser::Piece piece = parser_.put_chunked(input_.bytes(), buffer);
      input_.take(piece.taken);
      if (piece.bad) fail("the body is not chunked encoding");
      finished_ = parser_.chunked_done();
      if (piece.produced > 0 || finished_) co_return piece.produced;
    }
    const std::span<char> room = input_.room();
    // A chunk's size line or trailer that fills the whole buffer.
    if (room.empty()) fail("the body is not chunked encoding");
    const std::size_t n = co_await receive(room);
    input_.added(n);
  }
}

io::Awaitable<std::size_t> RequestBody::receive(std::span<char> buffer) {
  const std::size_t n = co_await stream_.receive(buffer, progress_);
  if (n > 0) co_return n;
  timed_out_ = peer_.expired();
  peer_gone_ = !timed_out_;
  fail(timed_out_ ? "the body stalled" : "the peer closed before the body's end");
}

io::Awaitable<void> RequestBody::invite() {
  invited_ = true;
  iovec parts[] = {part_of(kContinue)};
  try {
    if (!stream_.try_send(parts)) co_await stream_.send(parts, progress_);
  } catch (const core::Error&) {
    peer_gone_ = true;
    fail("the peer closed before the body");
  }
}

void RequestBody::fail(const char* why) {
  broken_ = true;
  throw BodyError(why);
}

bool RequestBody::can_be_drained(std::uint64_t limit) const {
  if (finished_) return true;
  // Whether a peer that was not told to continue sends its body all the same cannot be known.
  return !broken_ && invited_ && (parser_.chunked() || left_ <= limit);
}

io::Awaitable<bool> RequestBody::drain(std::uint64_t limit) {
  if (finished_) co_return true;
  std::vector<char> away(std::min<std::uint64_t>(limit, 64 * 1024));
  std::uint64_t drained = 0;
  try {
    while (!finished_ && drained < limit) drained += co_await read_some(away);
  } catch (const BodyError&) {
    co_return false;
  }
  co_return finished_;
}

}  // namespace sampan::http
