#include "ecr/manifest_cache.h"

#include <functional>

namespace sampan::ecr {
namespace {

constexpr std::size_t kOverhead = 256;  // of the entry, its name twice, the map's node
constexpr std::size_t kStaleNames = 64;

}  // namespace

const std::string& ManifestCache::name_of(std::string_view repository, std::string_view reference) {
  thread_local std::string name;
  name.assign(repository).append(1, '@').append(reference);
  return name;
}

ManifestCache::Shard& ManifestCache::shard_of(std::string_view name) const {
  return shards_[std::hash<std::string_view>()(name) / 64 % kShards];
}

std::size_t ManifestCache::size_of(std::string_view name, const Entry& entry) {
  return kOverhead + 2 * name.size() + entry.bytes.size() + entry.media_type.size();
}

ManifestCache::Found ManifestCache::find(std::string_view repository, std::string_view reference) const {
  const auto& name = name_of(repository, reference);
  const auto& shard = shard_of(name);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(name);
  return found == shard.entries.end() ? nullptr : found->second;
}

void ManifestCache::put(std::string_view repository, std::string_view reference, Found entry) {
  if (entry->bytes.size() > kLargestEntry) return;
  const auto& name = name_of(repository, reference);
  auto& shard = shard_of(name);
  const std::lock_guard lock(shard.mutex);
  remove(shard, name);
  shard.bytes += size_of(name, *entry);
  shard.entries.emplace(name, std::move(entry));
  shard.order.push_back(name);
  ++count_;
  while (shard.bytes > most_bytes_ || shard.order.size() > 2 * shard.entries.size() + kStaleNames) {
    // A name that is here anew may go early: it comes back at the next request.
    remove(shard, shard.order.front());
    shard.order.pop_front();
  }
}

void ManifestCache::forget(std::string_view repository, std::string_view reference) {
  const auto& name = name_of(repository, reference);
  auto& shard = shard_of(name);
  const std::lock_guard lock(shard.mutex);
  remove(shard, name);
}

void ManifestCache::remove(Shard& shard, std::string_view name) {
  const auto found = shard.entries.find(name);
  if (found == shard.entries.end()) return;
  shard.bytes -= size_of(name, *found->second);
  shard.entries.erase(found);
  --count_;
}

std::size_t ManifestCache::bytes() const {
  std::size_t bytes = 0;
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    bytes += shard.bytes;
  }
  return bytes;
}

}  // namespace sampan::ecr
