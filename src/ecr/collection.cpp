#include "ecr/collection.h"

#include <algorithm>
#include <charconv>

namespace sampan::ecr {

std::uint64_t KeepSet::mark(const image::Digest& digest) {
  std::uint64_t bits = 0;
  const auto front = digest.hex().substr(0, 16);
  std::from_chars(front.data(), front.data() + front.size(), bits, 16);
  return bits;
}

void KeepSet::seal() {
  std::sort(marks_.begin(), marks_.end());
  marks_.erase(std::unique(marks_.begin(), marks_.end()), marks_.end());
}

bool KeepSet::contains(const image::Digest& digest) const {
  return std::binary_search(marks_.begin(), marks_.end(), mark(digest));
}

bool goes(const FoundBlob& blob, const KeepSet& keep, core::TimePoint cutoff) {
  return blob.idle.used < cutoff && !keep.contains(blob.digest);
}

bool goes(const image::LayerStore::Tree& tree, const KeepSet& stays, const KeepSet& in_use,
          core::TimePoint cutoff) {
  if (tree.used >= cutoff || in_use.contains(tree.diff_id)) return false;
  return !tree.from || !stays.contains(*tree.from);
}

}  // namespace sampan::ecr
