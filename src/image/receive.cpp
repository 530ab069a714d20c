#include "image/receive.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace sampan::image {
namespace {

// Two of these an upload: fifty uploads at once hold 50 MB.
constexpr std::size_t kPiece = 512 * 1024;

// Fills the buffer as far as the body goes. A failure is kept beside what came before it.
struct Piece {
  std::vector<char> bytes = std::vector<char>(kPiece);
  std::size_t filled = 0;
  std::exception_ptr failure;
};

io::Awaitable<void> fill(http::BodyReader& body, Piece& piece) {
  piece.filled = 0;
  try {
    while (piece.filled < piece.bytes.size()) {
      const auto got = co_await body.read_some(std::span(piece.bytes).subspan(piece.filled));
      if (got == 0) break;
      piece.filled += got;
    }
  } catch (const http::BodyError&) {
    piece.failure = std::current_exception();
  }
}

io::Awaitable<void> flush(io::Executors& executors, BlobWriter& writer, const Piece& piece) {
  const auto bytes = std::span(piece.bytes).first(piece.filled);
  auto* to = &writer;
  co_await io::offload(executors, [to, bytes] { to->write(bytes); });
}

}  // namespace

io::Awaitable<std::uint64_t> receive_blob(io::Executors& executors, http::BodyReader& body,
                                          BlobWriter& writer, std::uint64_t most) {
  using namespace boost::asio::experimental::awaitable_operators;
  Piece reading;
  Piece writing;
  std::uint64_t total = 0;
  co_await fill(body, reading);
  while (reading.filled > 0) {
    total += reading.filled;
    if (total > most) throw http::BodyTooLarge("the blob is larger than allowed");
    std::swap(reading, writing);
    if (writing.failure || writing.filled < writing.bytes.size()) {
      co_await flush(executors, writer, writing);
      if (writing.failure) std::rethrow_exception(writing.failure);
      co_return total;
    }
    co_await (fill(body, reading) && flush(executors, writer, writing));
  }
  if (reading.failure) std::rethrow_exception(reading.failure);
  co_return total;
}

}  // namespace sampan::image
