#include "image/blob_tier.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"

namespace sampan::image {
namespace {

constexpr std::chrono::milliseconds kLookAgain{20};

}  // namespace

BlobTier::Turn::~Turn() {
  if (!owner_) return;
  const std::lock_guard lock(owner_->mutex_);
  owner_->busy_.erase(digest_);
}

BlobTier::Walk::~Walk() {
  if (!owner_) return;
  const std::lock_guard lock(owner_->mutex_);
  owner_->walking_ = false;
}

io::Awaitable<BlobTier::Walk> BlobTier::walk() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (!std::exchange(walking_, true)) co_return Walk(*this);
    }
    co_await io::sleep_for(kLookAgain);
  }
}

io::Awaitable<BlobTier::Turn> BlobTier::turn(Digest digest) {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (busy_.insert(digest).second) co_return Turn(*this, std::move(digest));
    }
    co_await io::sleep_for(kLookAgain);
  }
}

std::optional<core::TimePoint> BlobTier::kept_at(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(digest);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void BlobTier::set_kept(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  // Forgetting is harmless: the blob store is asked again, and what it stored lately is not collected.
  if (known_.size() >= kMostKnown) known_.clear();
  known_[digest] = content_.clock().now();
}

io::Awaitable<void> BlobTier::keep(Digest digest) {
  const auto mine = co_await turn(digest);
  const auto here = content_.size(digest);
  if (!kept_at(digest)) {
    const auto there = co_await store_.size(digest);
    if (!there && !here)
      throw core::Error("keep blob " + digest.str(), "it is neither here nor in " + store_.name());
    if (here && there != here) co_await store_.put(digest, content_.path(digest));
  }
  set_kept(digest);
}

io::Awaitable<std::optional<std::uint64_t>> BlobTier::size(Digest digest) {
  if (const auto here = content_.size(digest)) co_return here;
  co_return co_await store_.size(digest);
}

io::Awaitable<bool> BlobTier::bring(Digest digest) {
  if (content_.has(digest)) co_return true;
  const auto mine = co_await turn(digest);
  if (content_.has(digest)) co_return true;  // somebody else has brought it meanwhile
  const auto there = co_await store_.size(digest);
  if (!there) co_return false;
  co_await fetch(digest, *there);
  co_return true;
}

io::Awaitable<void> BlobTier::fetch(const Digest& digest, std::uint64_t size) {
  const auto writer = co_await io::offload(executors_, [this, &digest] {
    return std::make_unique<BlobWriter>(content_.writer(io::Durability::kProcessCrash, digest.algorithm()));
  });
  auto* executors = &executors_;
  auto* to = writer.get();
  const BlobStore::Sink sink = [executors, to](std::span<const char> bytes) -> io::Awaitable<void> {
    co_await io::offload(*executors, [to, bytes] { to->write(bytes); });
  };
  co_await store_.get(digest, 0, size, sink);
  co_await io::offload(executors_, [to, &digest] { to->finish(digest); });
}

io::Awaitable<std::uint64_t> BlobTier::catch_up(std::vector<Digest> needed) {
  {
    const auto walking = co_await walk();
    co_await store_.list([this](const BlobStore::Found& found) {
      const std::lock_guard lock(mutex_);
      if (known_.size() < kMostKnown) known_.emplace(found.digest, found.stored);
    });
  }
  std::uint64_t sent = 0;
  for (const auto& digest : needed) {
    if (kept_at(digest) || !content_.size(digest)) continue;
    co_await keep(digest);
    ++sent;
  }
  co_return sent;
}

std::optional<std::string> BlobTier::link(const Digest& digest) {
  if (!options_.redirects) return std::nullopt;
  return store_.link(digest, kLinkLife);
}

io::Awaitable<BlobTier::Removed> BlobTier::collect(std::function<bool(const Digest&)> keeps,
                                                   core::TimePoint cutoff, Removal removal) {
  const auto walking = co_await walk();
  Removed removed;
  std::vector<BlobStore::Found> idle;
  co_await store_.list([&](const BlobStore::Found& found) {
    if (found.stored < cutoff && !keeps(found.digest)) idle.push_back(found);
  });
  for (const auto& found : idle) {
    const auto mine = co_await turn(found.digest);
    // From here to the removal nobody can rely upon it: keep() waits for its turn, and stores it again.
    if (const auto used = kept_at(found.digest); used && *used >= cutoff) continue;
    ++removed.blobs;
    removed.bytes += found.size;
    if (removal == Removal::kCount) continue;
    {
      const std::lock_guard lock(mutex_);
      known_.erase(found.digest);
    }
    co_await store_.remove(found.digest);
  }
  if (removal == Removal::kReal) removed.uploads = co_await store_.sweep(cutoff);
  co_return removed;
}

io::Awaitable<std::uint64_t> BlobTier::evict() {
  if (options_.cache_bytes == 0) co_return 0;
  std::vector<std::pair<Idle, Digest>> large;
  std::uint64_t total = 0, gone = 0;
  co_await io::offload(executors_, [&] {
    content_.scan([&](const Digest& digest, const Idle& idle) {
      total += idle.size;
      if (idle.size > kSmall) large.emplace_back(idle, digest);
    });
  });
  std::sort(large.begin(), large.end(),
            [](const auto& a, const auto& b) { return a.first.used < b.first.used; });
  for (const auto& [idle, digest] : large) {
    if (total - gone <= options_.cache_bytes) break;
    const auto mine = co_await turn(digest);
    // Only what is there to be brought again, and is in nobody's hands.
    if (!kept_at(digest) && co_await store_.size(digest) != idle.size) continue;
    const auto cutoff = content_.holds().oldest(content_.clock().now());
    const auto removed = co_await io::offload(
        executors_, [this, &digest, cutoff] { return content_.remove_idle(digest, cutoff); });
    gone += removed.value_or(0);
  }
  if (gone > 0) core::log::info("{} bytes left the cache of {}", gone, store_.name());
  co_return gone;
}

}  // namespace sampan::image
