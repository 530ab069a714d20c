#include "logs/page.h"

#include <iterator>
#include <utility>

namespace sampan::logs {

bool Page::beyond_cutoff(const Key& key) const {
  if (!cutoff_) return false;
  return direction_ == Direction::kForward ? key >= *cutoff_ : key <= *cutoff_;
}

bool Page::wants(Millis time) const {
  if (!cutoff_) return true;
  return direction_ == Direction::kForward ? time <= cutoff_->time : time >= cutoff_->time;
}

void Page::add(Key key, Event event) {
  if (beyond_cutoff(key)) return;
  bytes_ += event.message.size() + kEventOverhead;
  events_.emplace(std::move(key), std::move(event));
  // One event always fits, or a reader would never get past it.
  while (events_.size() > limits_.events || (bytes_ > limits_.bytes && events_.size() > 1)) drop_farthest();
}

void Page::drop_farthest() {
  auto farthest = direction_ == Direction::kForward ? std::prev(events_.end()) : events_.begin();
  bytes_ -= farthest->second.message.size() + kEventOverhead;
  cutoff_ = farthest->first;
  events_.erase(farthest);
}

void Page::cut(Key key) {
  if (beyond_cutoff(key)) return;
  cutoff_ = std::move(key);
  auto farthest = [&] {
    return direction_ == Direction::kForward ? std::prev(events_.end()) : events_.begin();
  };
  while (!events_.empty() && beyond_cutoff(farthest()->first)) {
    bytes_ -= farthest()->second.message.size() + kEventOverhead;
    events_.erase(farthest());
  }
}

}  // namespace sampan::logs
