// When each repository's right to show a blob was last relied upon: asked for, given, or needed by a manifest
// that went. A link stays for the collection's grace after that, so that a client which was told "the blob is
// here" can still push the manifest that names it.
//
// In memory alone: after a restart the collection waits (Collector). A key is kept as its hash, a collision
// only makes a link stay longer. On the control strand.
#pragma once

#include <functional>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"

namespace sampan::ecr {

class LinkUses {
 public:
  static constexpr std::size_t kMost = 1'000'000;  // then everything counts as used now

  void touch(std::string_view key, core::TimePoint now) {
    if (used_.size() >= kMost) forget_before(now, now);
    auto& at = used_[std::hash<std::string_view>{}(key)];
    at = std::max(at, now);
  }
  core::TimePoint last(std::string_view key) const {
    const auto found = used_.find(std::hash<std::string_view>{}(key));
    return found == used_.end() ? floor_ : std::max(floor_, found->second);
  }
  // Forgets uses before `cutoff`, which no longer matter; nothing counts as used before `floor`.
  void forget_before(core::TimePoint cutoff, core::TimePoint floor = {}) {
    floor_ = std::max(floor_, floor);
    std::erase_if(used_, [cutoff](const auto& each) { return each.second < cutoff; });
  }
  std::size_t size() const { return used_.size(); }

 private:
  core::TimePoint floor_{};
  std::unordered_map<std::size_t, core::TimePoint> used_;
};

}  // namespace sampan::ecr
