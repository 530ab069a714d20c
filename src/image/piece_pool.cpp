#include "image/piece_pool.h"

#include <algorithm>

namespace sampan::image {
namespace {

constexpr std::size_t kMostOfOne = 16;
constexpr std::size_t kLeastOfOne = 2;  // one is filled while the other is hashed and written

}  // namespace

PiecePool::Piece PiecePool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (out_ >= kPieces) return std::make_unique<AlignedBuffer>(kSmallPiece);
    ++out_;
    if (!kept_.empty()) {
      auto piece = std::move(kept_.back());
      kept_.pop_back();
      return piece;
    }
  }
  try {
    return std::make_unique<AlignedBuffer>(kPiece);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --out_;
    throw;
  }
}

void PiecePool::give_back(Piece piece) {
  if (!piece || piece->bytes().size() < kPiece) return;
  const std::lock_guard lock(mutex_);
  --out_;
  if (out_ == 0) {
    kept_.clear();  // an idle daemon holds nothing
  } else if (kept_.size() < kKept) {
    kept_.push_back(std::move(piece));
  }
}

std::size_t PiecePool::share(std::size_t uploads) {
  return std::clamp(kPieces / std::max<std::size_t>(uploads, 1), kLeastOfOne, kMostOfOne);
}

std::size_t PiecePool::large_out() const {
  const std::lock_guard lock(mutex_);
  return out_;
}

}  // namespace sampan::image
