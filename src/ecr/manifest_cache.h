// The manifests that are asked for again and again, ready to be sent: what a tag or digest of a repository
// gives, without the strand and without the disk.
//
// Filled and emptied on the control strand, along with the rows: an entry goes in the very change that makes
// it untrue, before anybody is told of the change, so that find() is never behind an answer that was given.
// find() from any thread. Bounded by bytes; the oldest go first.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"
#include "image/reference.h"

namespace sampan::ecr {

class ManifestCache {
 public:
  struct Entry {
    image::Digest digest;
    std::string media_type;
    std::string bytes;
    std::optional<core::TimePoint> pulled_at;  // as the row has it
    core::TimePoint cached_at{};
  };
  using Found = std::shared_ptr<const Entry>;  // shared with answers under way

  static constexpr std::size_t kMostBytes = 8 * 1024 * 1024;
  static constexpr std::size_t kLargestEntry = 64 * 1024;

  explicit ManifestCache(std::size_t most_bytes = kMostBytes) : most_bytes_(most_bytes / kShards) {}

  // `reference`: a tag, or a digest's text. nullptr: not known here.
  Found find(std::string_view repository, std::string_view reference) const;
  void put(std::string_view repository, std::string_view reference, Found entry);
  void forget(std::string_view repository, std::string_view reference);
  bool empty() const { return count_ == 0; }
  std::size_t bytes() const;

 private:
  static constexpr std::size_t kShards = 8;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Found, Hash, std::equal_to<>> entries;
    std::deque<std::string> order;  // as they came; some may be gone since
    std::size_t bytes = 0;
  };
  // "<repository>@<reference>": '@' is in neither.
  static const std::string& name_of(std::string_view repository, std::string_view reference);
  Shard& shard_of(std::string_view name) const;
  static std::size_t size_of(std::string_view name, const Entry& entry);
  void remove(Shard& shard, std::string_view name);

  const std::size_t most_bytes_;  // of a shard
  mutable std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace sampan::ecr
