#include "image/piped_source.h"

#include "core/error.h"

namespace sampan::image {
namespace {

constexpr std::size_t kPiece = 512 * 1024;
constexpr std::size_t kAhead = 4;

std::vector<char> read_piece(ByteSource& source) {
  std::vector<char> piece(kPiece);
  std::size_t filled = 0;
  while (filled < piece.size()) {
    const auto got = source.read(std::span(piece).subspan(filled));
    if (got == 0) break;
    filled += got;
  }
  piece.resize(filled);
  return piece;
}

}  // namespace

PipedSource::PipedSource(ByteSource& source, std::uint64_t limit, core::HashAlgorithm algorithm)
    : source_(source), limit_(limit), hash_(algorithm) {
  thread_ = std::thread([this] { run(); });
}

PipedSource::~PipedSource() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PipedSource::run() {
  std::uint64_t total = 0;
  try {
    while (true) {
      auto piece = read_piece(source_);
      if (piece.empty()) break;
      total += piece.size();
      if (total > limit_) {
        throw core::Error("unpack it", fmt::format("it has more than the {} bytes allowed", limit_));
      }
      hash_.update(piece);
      if (!offer(std::move(piece))) return;
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

bool PipedSource::offer(std::vector<char> piece) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ready_.size() < kAhead || abandoned_; });
  if (abandoned_) return false;
  ready_.push_back(std::move(piece));
  changed_.notify_all();
  return true;
}

std::span<const char> PipedSource::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || ended_; });
  if (ready_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return {};
  }
  current_ = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return current_;
}

std::string PipedSource::finish_hex() {
  while (!next().empty()) {
  }
  thread_.join();
  return hash_.finish_hex();
}

}  // namespace sampan::image
