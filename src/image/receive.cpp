#include "image/receive.h"

#include <atomic>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace sampan::image {
namespace {

// Two pieces an upload. Large ones cost fewer changes of thread; when many uploads run at once their sum is
// what counts: fifty of them hold 25 MB.
constexpr std::size_t kLargePiece = 1024 * 1024;
constexpr std::size_t kSmallPiece = 256 * 1024;
constexpr int kFewUploads = 12;
std::atomic<int> uploads_now{0};

class PieceSize {
 public:
  PieceSize() : bytes_(uploads_now.fetch_add(1) < kFewUploads ? kLargePiece : kSmallPiece) {}
  ~PieceSize() { uploads_now.fetch_sub(1); }
  PieceSize(const PieceSize&) = delete;
  PieceSize& operator=(const PieceSize&) = delete;
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
};

// Filled as far as the body goes. A failure is kept beside what came before it.
struct Piece {
  explicit Piece(std::size_t size) : buffer(size) {}
  bool full() const { return filled == buffer.bytes().size(); }
  AlignedBuffer buffer;
  std::size_t filled = 0;
  std::exception_ptr failure;
};

io::Awaitable<void> fill(http::BodyReader& body, Piece& piece) {
  piece.filled = 0;
  try {
    while (!piece.full()) {
      const auto got = co_await body.read_some(piece.buffer.bytes().subspan(piece.filled));
      if (got == 0) break;
      piece.filled += got;
    }
  } catch (const http::BodyError&) {
    piece.failure = std::current_exception();
  }
}

io::Awaitable<void> hash(io::Executors& executors, BlobWriter& writer, const Piece& piece) {
  const auto bytes = piece.buffer.bytes().first(piece.filled);
  auto* to = &writer;
  co_await io::offload(executors, [to, bytes] { to->hash(bytes); });
}

io::Awaitable<void> append(io::Executors& executors, BlobWriter& writer, const Piece& piece) {
  const auto bytes = piece.buffer.bytes().first(piece.filled);
  auto* to = &writer;
  co_await io::offload(executors, [to, bytes] { to->append(bytes); });
}

// Runs `work` and keeps what it throws. `&&` would cancel the other branches when one throws, and cancelling what runs on the
// pool from here is not safe (Boost 1.81 ends the process): so none throws before all have ended.
io::Awaitable<void> kept(io::Awaitable<void> work, std::exception_ptr& failure) {
  try {
    co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
}

struct Failures {
  std::exception_ptr fill, hash, append;
  void rethrow() const {
    for (const auto& failure : {append, hash, fill}) {
      if (failure) std::rethrow_exception(failure);
    }
  }
};

}  // namespace

io::Awaitable<std::uint64_t> receive_blob(io::Executors& executors, http::BodyReader& body,
                                          BlobWriter& writer, std::uint64_t most) {
  using namespace boost::asio::experimental::awaitable_operators;
  const PieceSize size;
  Piece reading(size.bytes());
  Piece writing(size.bytes());
  std::uint64_t total = 0;
  co_await fill(body, reading);
  while (reading.filled > 0) {
    total += reading.filled;
    if (total > most) throw http::BodyTooLarge("the blob is larger than allowed");
    std::swap(reading, writing);
    if (writing.failure || !writing.full()) {
      Failures failures;
      co_await (kept(hash(executors, writer, writing), failures.hash) &&
                kept(append(executors, writer, writing), failures.append));
      failures.rethrow();
      if (writing.failure) std::rethrow_exception(writing.failure);
      co_return total;
    }
    Failures failures;
    co_await (kept(fill(body, reading), failures.fill) && kept(hash(executors, writer, writing), failures.hash) &&
              kept(append(executors, writer, writing), failures.append));
    failures.rethrow();
  }
  if (reading.failure) std::rethrow_exception(reading.failure);
  co_return total;
}

}  // namespace sampan::image
