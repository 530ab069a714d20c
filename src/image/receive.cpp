#include "image/receive.h"

#include "image/blob_pipe.h"

namespace sampan::image {
namespace {

PiecePool& pieces() {
  static PiecePool pool;
  return pool;
}

// Fills the piece as far as the body goes; false when the body has ended before the piece was full.
io::Awaitable<bool> fill(http::BodyReader& body, BlobPipe::Piece& piece) {
  while (!piece.full()) {
    const auto got = co_await body.read_some(piece.room());
    if (got == 0) co_return false;
    piece.filled += got;
  }
  co_return true;
}

io::Awaitable<std::uint64_t> pump(http::BodyReader& body, BlobPipe& pipe, std::uint64_t most) {
  std::uint64_t total = 0;
  bool more = true;
  while (more) {
    auto* piece = co_await pipe.next();
    std::exception_ptr failure;
    try {
      more = co_await fill(body, *piece);
    } catch (const http::BodyError&) {
      failure = std::current_exception();  // what came before it counts
    }
    total += piece->filled;
    const bool takes = piece->filled > 0 && total <= most;
    if (takes)
      pipe.push(piece);
    else
      pipe.put_back(piece);
    if (failure) std::rethrow_exception(failure);
    if (total > most) throw http::BodyTooLarge("the blob is larger than allowed");
  }
  co_return total;
}

}  // namespace

io::Awaitable<std::uint64_t> receive_blob(io::Executors& executors, http::BodyReader& body,
                                          BlobWriter& writer, std::uint64_t most) {
  const auto pipe = std::make_shared<BlobPipe>(executors, pieces(), writer);
  std::uint64_t total = 0;
  std::exception_ptr failure;
  try {
    total = co_await pump(body, *pipe, most);
  } catch (...) {
    failure = std::current_exception();
  }
  // The jobs work on the writer: nobody else touches it before they have ended.
  co_await pipe->drained();
  pipe->rethrow();
  if (failure) std::rethrow_exception(failure);
  co_return total;
}

}  // namespace sampan::image
