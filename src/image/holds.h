// Who is in the middle of something that collection must not disturb: a pull, a build, a push's last step.
//
// While a Hold lives, whatever was touched in the content store or the layer store since it began stays, even
// if no row names it yet. The one who holds writes the row (or the task's record) before the Hold ends.
//
// Coarse on purpose: one number, the age of the oldest hold, instead of a list of contents. Thread-safe.
#pragma once

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "core/clock.h"

namespace sampan::image {

class Holds {
 public:
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), since_(other.since_) {}
    Hold& operator=(Hold&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(since_, other.since_);
      return *this;
    }
    ~Hold() {
      if (owner_) owner_->end(since_);
    }

   private:
    friend class Holds;
    Hold(Holds& owner, core::TimePoint since) : owner_(&owner), since_(since) {}
    Holds* owner_ = nullptr;
    core::TimePoint since_{};
  };

  // The holds must not outlive this.
  Hold begin(core::TimePoint now) {
    const std::lock_guard lock(mutex_);
    since_.insert(now);
    return {*this, now};
  }
  // When the oldest living hold began; `now` when there is none.
  core::TimePoint oldest(core::TimePoint now) const {
    const std::lock_guard lock(mutex_);
    return since_.empty() ? now : std::min(now, *since_.begin());
  }

 private:
  void end(core::TimePoint since) {
    const std::lock_guard lock(mutex_);
    since_.erase(since_.find(since));
  }
  mutable std::mutex mutex_;
  std::multiset<core::TimePoint> since_;
};

}  // namespace sampan::image
