// What collection decides: which contents go. Pure; collector.h looks and acts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "image/last_use.h"
#include "image/layer_store.h"
#include "image/reference.h"

namespace sampan::ecr {

// A set of digests, eight bytes each: their first 64 bits. Two digests that begin alike are taken for one,
// which keeps a blob that could go (once in 2^64), and never the other way round.
class KeepSet {
 public:
  void add(const image::Digest& digest) { marks_.push_back(mark(digest)); }
  // After the last add(), before the first contains().
  void seal();
  bool contains(const image::Digest& digest) const;
  std::size_t size() const { return marks_.size(); }

 private:
  static std::uint64_t mark(const image::Digest& digest);
  std::vector<std::uint64_t> marks_;
};

struct FoundBlob {
  image::Digest digest;
  image::Idle idle;
};

// A blob goes when nothing keeps it and nobody relied upon it since `cutoff`.
bool goes(const FoundBlob& blob, const KeepSet& keep, core::TimePoint cutoff);

// A tree is a cache of its blob, so it goes with it: when the blob is not in `stays` (the blobs that are here
// and do not go). A tree that does not say whose it is goes by its age alone. Those of `in_use` never go.
bool goes(const image::LayerStore::Tree& tree, const KeepSet& stays, const KeepSet& in_use,
          core::TimePoint cutoff);

// When contents count as idle: `grace` ago, or when the oldest hold began.
inline core::TimePoint cutoff_of(core::TimePoint now, core::Millis grace, core::TimePoint oldest_hold) {
  return std::min(now - grace, oldest_hold);
}

// Links are in memory when they were last used, so that a new process waits: the grace, but no longer than
// this.
inline constexpr core::Millis kLongestLinkWait = std::chrono::hours(1);
inline bool may_unlink(core::TimePoint now, core::TimePoint started, core::Millis grace) {
  return now - started >= std::min(grace, kLongestLinkWait);
}

struct CollectionReport {
  bool dry_run = false;
  std::uint64_t links = 0;  // repositories' rights to blobs that no manifest of theirs needs
  std::uint64_t blobs = 0;  // that went (or would go)
  std::uint64_t bytes = 0;  // of them
  std::uint64_t trees = 0;  // unpacked layers
  std::uint64_t steps = 0;  // rows of the build cache
  std::uint64_t far = 0;  // blobs that went from the blob store behind the content store
  std::uint64_t far_bytes = 0;
  std::uint64_t uploads = 0;  // broken uploads to it
  std::uint64_t evicted = 0;  // bytes that left the cache in front of it
  std::uint64_t kept = 0;     // blobs that stay
  std::uint64_t kept_bytes = 0;
  bool links_wait = false;  // the daemon has not run long enough to judge links
  core::TimePoint began{};
  core::Millis took{};
};

}  // namespace sampan::ecr
