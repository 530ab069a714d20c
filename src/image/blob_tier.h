// The content store as a cache in front of a blob store that keeps the blobs for good (`sampand --blobs`).
//
// A blob is in the blob store before a row names it: keep() is awaited by whoever is about to acknowledge it.
// What is not here is brought when it is needed on this machine, or its reader is sent to the blob store. Of
// what is here, large blobs may go when the cache is full, the longest unused first; small ones (manifests,
// configurations) stay. One daemon writes to a bucket's prefix; what another one put there is collected as
// nobody's.
//
// Thread-safe; coroutines, from any executor.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "image/blob_store.h"
#include "image/content_store.h"

namespace sampan::image {

struct TierOptions {
  bool redirects = true;  // readers of what is not here are sent to the blob store, where it can give links
  std::uint64_t cache_bytes = 0;  // of blobs here; 0: no limit
};

class BlobTier {
 public:
  static constexpr std::uint64_t kSmall = 1 << 20;  // never leaves the cache
  static constexpr std::chrono::minutes kLinkLife{20};

  // All must outlive it.
  BlobTier(io::Executors& executors, ContentStore& content, BlobStore& store, TierOptions options)
      : executors_(executors), content_(content), store_(store), options_(options) {}

  // The blob is in the blob store when it returns, and not collected for the grace. Throws core::Error, also
  // when it is nowhere.
  io::Awaitable<void> keep(Digest digest);
  // The blob is in the content store when it returns true, checked against its digest; false: it is nowhere.
  io::Awaitable<bool> bring(Digest digest);
  // Learns what the blob store has, and sends it those of `needed` that are here and not there; how many.
  // Once, at the start: what was pushed before there was a blob store comes into it.
  io::Awaitable<std::uint64_t> catch_up(std::vector<Digest> needed);
  // Here or there.
  io::Awaitable<std::optional<std::uint64_t>> size(Digest digest);
  // Where a reader of what is not here may go.
  std::optional<std::string> link(const Digest& digest);

  // For collection: removes from the blob store what `keeps` does not want, was stored and kept before
  // `cutoff`; and what broken puts left. With kCount only counts.
  enum class Removal { kReal, kCount };
  struct Removed {
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
    std::uint64_t uploads = 0;
  };
  io::Awaitable<Removed> collect(std::function<bool(const Digest&)> keeps, core::TimePoint cutoff,
                                 Removal removal);
  // Brings the cache down to its limit; how many bytes went.
  io::Awaitable<std::uint64_t> evict();
  BlobStore& store() { return store_; }

 private:
  // One operation a blob at a time.
  class Turn;
  class Walk;
  // One list at a time is believed: a blob that was removed after it was listed must not be taken for known.
  io::Awaitable<Walk> walk();
  io::Awaitable<Turn> turn(Digest digest);
  std::optional<core::TimePoint> kept_at(const Digest& digest) const;
  void set_kept(const Digest& digest);
  io::Awaitable<void> fetch(const Digest& digest, std::uint64_t size);

  static constexpr std::size_t kMostKnown = 1'000'000;
  io::Executors& executors_;
  ContentStore& content_;
  BlobStore& store_;
  const TierOptions options_;
  mutable std::mutex mutex_;
  std::set<Digest> busy_;
  bool walking_ = false;
  std::map<Digest, core::TimePoint> known_;  // in the blob store, and when that was last relied upon
};

class BlobTier::Walk {
 public:
  explicit Walk(BlobTier& owner) : owner_(&owner) {}
  Walk(Walk&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
  Walk& operator=(Walk&&) = delete;
  ~Walk();

 private:
  BlobTier* owner_;
};

class BlobTier::Turn {
 public:
  Turn(BlobTier& owner, Digest digest) : owner_(&owner), digest_(std::move(digest)) {}
  Turn(Turn&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), digest_(std::move(other.digest_)) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn();

 private:
  BlobTier* owner_;
  Digest digest_;
};

}  // namespace sampan::image
