// Buffers for bodies on their way to the disk, shared by all uploads of the process: their sum is bounded,
// whatever the number of uploads. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "image/content_store.h"

namespace sampan::image {

class PiecePool {
 public:
  static constexpr std::size_t kPiece = 256 * 1024;
  static constexpr std::size_t kPieces = 128;  // 32 MiB
  // What an upload gets when all are out: slow peers that hold them do not keep others from sending.
  static constexpr std::size_t kSmallPiece = 32 * 1024;
  static constexpr std::size_t kKept = 16;  // of those that nobody uses; the others' memory is given back

  using Piece = std::unique_ptr<AlignedBuffer>;

  // A large piece while there are some, else a small one.
  Piece take();
  void give_back(Piece piece);
  // How many large ones one of so many uploads should hold at most.
  static std::size_t share(std::size_t uploads);
  std::size_t large_out() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Piece> kept_;
  std::size_t out_ = 0;  // large ones
};

}  // namespace sampan::image
