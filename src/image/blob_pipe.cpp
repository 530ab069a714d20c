#include "image/blob_pipe.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

namespace sampan::image {
namespace {

namespace asio = io::asio;

constexpr std::size_t kMostAtOnce = 8;  // pieces of one write: 2 MiB

std::atomic<std::size_t> pipes_now{0};

}  // namespace

BlobPipe::BlobPipe(io::Executors& executors, PiecePool& pool, BlobWriter& writer)
    : executors_(executors), pool_(pool), writer_(writer) {
  ++pipes_now;
}

BlobPipe::~BlobPipe() {
  --pipes_now;
  for (auto& piece : pieces_) pool_.give_back(std::move(piece->buffer));
}

BlobPipe::Piece* BlobPipe::take_free() {
  if (!free_.empty()) {
    auto* piece = free_.back();
    free_.pop_back();
    return piece;
  }
  if (pieces_.size() >= PiecePool::share(pipes_now)) return nullptr;
  pieces_.push_back(std::make_unique<Piece>());
  pieces_.back()->buffer = pool_.take();
  return pieces_.back().get();
}

io::Awaitable<BlobPipe::Piece*> BlobPipe::next() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (failure_) std::rethrow_exception(failure_);
      if (auto* piece = take_free()) {
        piece->filled = 0;
        co_return piece;
      }
    }
    co_await wait(Until::kRoom);
  }
}

void BlobPipe::put_back(Piece* piece) {
  const std::lock_guard lock(mutex_);
  free_.push_back(piece);
}

void BlobPipe::push(Piece* piece) {
  const std::lock_guard lock(mutex_);
  piece->work = 2;
  to_hash_.push_back(piece);
  to_write_.push_back(piece);
  auto& pool = executors_.blocking();
  if (!std::exchange(hashing_, true)) asio::post(pool, [self = shared_from_this()] { self->hash_all(); });
  if (!std::exchange(writing_, true)) asio::post(pool, [self = shared_from_this()] { self->write_all(); });
}

void BlobPipe::hash_all() {
  std::unique_lock lock(mutex_);
  while (!to_hash_.empty()) {
    auto* piece = to_hash_.front();
    to_hash_.pop_front();
    lock.unlock();
    writer_.hash(piece->bytes());
    lock.lock();
    finish({&piece, 1});
  }
  hashing_ = false;
  wake_if_due();
}

void BlobPipe::write_all() {
  std::unique_lock lock(mutex_);
  while (!to_write_.empty()) {
    std::array<Piece*, kMostAtOnce> taken{};
    std::array<std::span<const char>, kMostAtOnce> bytes;
    std::size_t count = 0;
    for (; count < kMostAtOnce && !to_write_.empty(); ++count) {
      taken[count] = to_write_.front();
      bytes[count] = taken[count]->bytes();
      to_write_.pop_front();
    }
    const bool go = !failure_;  // else it is only taken out of the way
    lock.unlock();
    std::exception_ptr failure;
    try {
      if (go) writer_.append({bytes.data(), count});
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) failure_ = failure;
    finish({taken.data(), count});
  }
  writing_ = false;
  wake_if_due();
}

void BlobPipe::finish(std::span<Piece* const> pieces) {
  for (auto* piece : pieces) {
    if (--piece->work == 0) free_.push_back(piece);
  }
  wake_if_due();
}

bool BlobPipe::is(Until until) const {
  if (until == Until::kDrained) return !hashing_ && !writing_;
  // A quarter of the ring at once: waking the coroutine for each piece would cost more than the piece.
  return failure_ || free_.size() >= std::max<std::size_t>(1, pieces_.size() / 4);
}

void BlobPipe::wake_if_due() {
  if (wake_ && is(waiting_for_)) std::exchange(wake_, nullptr)();
}

io::Awaitable<void> BlobPipe::wait(Until until) {
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this, until](auto handler) {
        auto executor = asio::prefer(asio::get_associated_executor(handler, executors_.net().get_executor()),
                                     asio::execution::outstanding_work.tracked);
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        const std::lock_guard lock(mutex_);
        waiting_for_ = until;
        wake_ = [executor, shared] { asio::post(executor, [shared] { std::move (*shared)(); }); };
        wake_if_due();
      },
      asio::use_awaitable);
}

io::Awaitable<void> BlobPipe::drained() {
  co_await wait(Until::kDrained);
}

void BlobPipe::rethrow() const {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace sampan::image
