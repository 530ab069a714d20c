// A body's way into a blob: pieces are filled by a coroutine, and hashed and written by two jobs of the
// blocking pool, all three beside each other, each at its own speed over a ring of pieces. Part of
// receive.cpp.
//
//   next()  -> fill the piece -> push()      by the coroutine, in order
//                                |-> hashed ---|
//                                |-> written --|-> free again
//
// Shared by the coroutine and the jobs; the writer must live until drained() or the pool's end.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "image/content_store.h"
#include "image/piece_pool.h"
#include "io/executors.h"

namespace sampan::image {

class BlobPipe : public std::enable_shared_from_this<BlobPipe> {
 public:
  struct Piece {
    PiecePool::Piece buffer;
    std::size_t filled = 0;
    int work = 0;  // jobs that have it still
    std::span<char> room() const { return buffer->bytes().subspan(filled); }
    std::span<const char> bytes() const { return buffer->bytes().first(filled); }
    bool full() const { return filled == buffer->bytes().size(); }
  };

  BlobPipe(io::Executors& executors, PiecePool& pool, BlobWriter& writer);
  ~BlobPipe();

  // An empty piece, once there is one. Throws what hashing or writing threw.
  io::Awaitable<Piece*> next();
  // After the last one that is not full, nothing may follow.
  void push(Piece* piece);
  void put_back(Piece* piece);  // unused
  // Waits until both jobs have ended. Does not throw.
  io::Awaitable<void> drained();
  void rethrow() const;

 private:
  enum class Until { kRoom, kDrained };
  io::Awaitable<void> wait(Until until);
  bool is(Until until) const;  // with the lock
  void hash_all();
  void write_all();
  void finish(std::span<Piece* const> pieces);  // with the lock
  void wake_if_due();                           // with the lock
  Piece* take_free();                           // with the lock; nullptr: must wait

  io::Executors& executors_;
  PiecePool& pool_;
  BlobWriter& writer_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<Piece>> pieces_;
  std::vector<Piece*> free_;
  std::deque<Piece*> to_hash_;
  std::deque<Piece*> to_write_;
  bool hashing_ = false;  // a job runs or is on its way
  bool writing_ = false;
  std::exception_ptr failure_;
  Until waiting_for_ = Until::kRoom;
  std::function<void()> wake_;  // the coroutine waits
};

}  // namespace sampan::image
