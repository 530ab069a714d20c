#include "image/staged_blobs.h"

#include <algorithm>

namespace sampan::image {

bool StagedBlobs::add(const Digest& digest, std::string bytes, core::TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (const auto known = blobs_.find(digest); known != blobs_.end()) {
    known->second.used = std::max(known->second.used, now);
    return true;
  }
  if (bytes_ + bytes.size() > kMostBytes) return false;
  bytes_ += bytes.size();
  blobs_.emplace(digest, Blob{std::make_shared<const std::string>(std::move(bytes)), now});
  count_ = blobs_.size();
  return true;
}

std::optional<StagedBlobs::Blob> StagedBlobs::find(const Digest& digest) const {
  if (count_ == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) return std::nullopt;
  return found->second;
}

bool StagedBlobs::touch(const Digest& digest, core::TimePoint now) {
  if (count_ == 0) return false;
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) return false;
  found->second.used = std::max(found->second.used, now);
  return true;
}

std::optional<StagedBlobs::Blob> StagedBlobs::remove(const Digest& digest) {
  if (count_ == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) return std::nullopt;
  auto blob = std::move(found->second);
  bytes_ -= blob.bytes->size();
  blobs_.erase(found);
  count_ = blobs_.size();
  return blob;
}

std::vector<Digest> StagedBlobs::all() const {
  std::vector<Digest> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [digest, blob] : blobs_) all.push_back(digest);
  return all;
}

}  // namespace sampan::image
