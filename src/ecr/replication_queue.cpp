#include "ecr/replication_queue.h"

#include <algorithm>

namespace sampan::ecr {
namespace {

constexpr core::Millis kFirstWait{1000};
constexpr core::Millis kLongestWait{10 * 60 * 1000};
constexpr int kMostDoublings = 10;

}  // namespace

core::Millis replication_backoff(int tries) {
  const auto doublings = std::clamp(tries - 1, 0, kMostDoublings);
  return std::min(kFirstWait * (1 << doublings), kLongestWait);
}

ReplicationQueue::Lane ReplicationQueue::lane_of(const ReplicationKey& key) {
  return {key.repository.key(), key.destination};
}

void ReplicationQueue::put(const ReplicationKey& key, core::TimePoint due) {
  const auto text = key.str();
  lanes_[lane_of(key)].emplace(Place(due, text), key);
  places_.emplace(text, due);
}

void ReplicationQueue::add(const ReplicationKey& key, core::TimePoint due) {
  const auto text = key.str();
  if (running_.contains(text)) {
    again_.emplace(text, due);
    return;
  }
  if (const auto had = places_.find(text); had != places_.end()) {
    if (had->second <= due) return;
    remove(key);
  }
  put(key, due);
}

void ReplicationQueue::remove(const ReplicationKey& key) {
  const auto text = key.str();
  tries_.erase(text);
  again_.erase(text);
  const auto place = places_.find(text);
  if (place == places_.end()) return;
  const auto lane = lanes_.find(lane_of(key));
  lane->second.erase(Place(place->second, text));
  if (lane->second.empty()) lanes_.erase(lane);
  places_.erase(place);
}

void ReplicationQueue::hasten(core::TimePoint now) {
  std::vector<ReplicationKey> late;
  for (const auto& [lane, work] : lanes_) {
    for (const auto& [place, key] : work) {
      if (place.first > now) late.push_back(key);
    }
  }
  for (const auto& key : late) {
    remove(key);
    put(key, now);
  }
}

int ReplicationQueue::tries(const ReplicationKey& key) const {
  const auto found = tries_.find(key.str());
  return found == tries_.end() ? 0 : found->second;
}

std::optional<ReplicationKey> ReplicationQueue::take(core::TimePoint now) {
  if (running_.size() >= std::size_t(kMostReplications)) return std::nullopt;
  const ReplicationKey* best = nullptr;
  Place first;
  for (const auto& [lane, work] : lanes_) {
    const auto& [place, key] = *work.begin();
    if (place.first > now || !is_free(lane) || (best && first <= place)) continue;
    best = &key;
    first = place;
  }
  if (!best) return std::nullopt;
  const auto key = *best;
  const int had = tries(key);
  remove(key);
  if (had > 0) tries_.emplace(first.second, had);
  running_.insert(first.second);
  running_lanes_.insert(lane_of(key));
  return key;
}

void ReplicationQueue::done(const ReplicationKey& key) {
  const auto text = key.str();
  running_.erase(text);
  running_lanes_.erase(lane_of(key));
  tries_.erase(text);
  const auto again = again_.find(text);
  if (again == again_.end()) return;
  const auto due = again->second;
  again_.erase(again);
  put(key, due);
}

void ReplicationQueue::failed(const ReplicationKey& key, core::TimePoint now) {
  const auto text = key.str();
  running_.erase(text);
  running_lanes_.erase(lane_of(key));
  again_.erase(text);
  put(key, now + replication_backoff(++tries_[text]));
}

std::optional<core::TimePoint> ReplicationQueue::next_due() const {
  if (running_.size() >= std::size_t(kMostReplications)) return std::nullopt;
  std::optional<core::TimePoint> next;
  for (const auto& [lane, work] : lanes_) {
    const auto due = work.begin()->first.first;
    if (is_free(lane) && (!next || due < *next)) next = due;
  }
  return next;
}

}  // namespace sampan::ecr
