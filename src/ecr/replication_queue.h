// The replications that are to be done, in memory: which come next, when one that failed is tried again. The
// rows behind it are replication_rows.h's. Pure but for holding its own state.
//
// Work of one repository for one destination is a lane: done one piece after the other, in the order it came,
// so that nothing is sent twice at once and a tag ends where it was put last.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "ecr/replication_rows.h"

namespace sampan::ecr {

inline constexpr int kMostReplications = 4;  // at once
inline constexpr int kPatience =
    6;  // tries, about a minute, before a failure that may pass is told as FAILED

// 1 s, 2 s, 4 s ... 10 min: how long to wait after so many tries.
core::Millis replication_backoff(int tries);

class ReplicationQueue {
 public:
  // Adds the work, or makes what waits due at `due`. Work that is being done will be done again.
  void add(const ReplicationKey& key, core::TimePoint due);
  void remove(const ReplicationKey& key);
  // All that waits is due: something has changed that it may have waited for.
  void hasten(core::TimePoint now);

  // The next work that is due and whose lane is free; it is being done from then on.
  std::optional<ReplicationKey> take(core::TimePoint now);
  // It is no longer being done, and gone unless it was added anew meanwhile.
  void done(const ReplicationKey& key);
  // How often it has failed so far.
  int tries(const ReplicationKey& key) const;
  // It is no longer being done and is due again after a while.
  void failed(const ReplicationKey& key, core::TimePoint now);

  // When take() may give something; nothing: not before something changes.
  std::optional<core::TimePoint> next_due() const;
  std::size_t waiting() const { return places_.size(); }
  std::size_t running() const { return running_.size(); }

 private:
  using Place = std::pair<core::TimePoint, std::string>;  // when due, then the row's key
  using Lane = std::pair<std::string, Destination>;
  static Lane lane_of(const ReplicationKey& key);
  void put(const ReplicationKey& key, core::TimePoint due);
  bool is_free(const Lane& lane) const { return !running_lanes_.contains(lane); }

  std::map<Lane, std::map<Place, ReplicationKey>> lanes_;
  std::map<std::string, core::TimePoint> places_;  // of all that wait: where in its lane
  std::map<std::string, int> tries_;
  std::set<std::string> running_;
  std::set<Lane> running_lanes_;
  std::map<std::string, core::TimePoint> again_;  // came while it was being done
};

}  // namespace sampan::ecr
