// The first (or last) events of a range, within a page's limits, gathered from events that come in any order.
// Pure.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "logs/event.h"

namespace sampan::logs {

enum class Direction { kForward, kBackward };

struct PageLimits {
  std::size_t events = 10'000;
  std::size_t bytes = 1024 * 1024;  // messages with 26 bytes each for the rest, as AWS counts
};

inline constexpr std::size_t kEventOverhead = 26;

// Keeps what is nearest to the page's beginning. Once something was refused or dropped for want of room, all
// that lies beyond it is refused too: a page never has a hole.
class Page {
 public:
  explicit Page(Direction direction = Direction::kForward, PageLimits limits = {})
      : direction_(direction), limits_(limits) {}

  // Would an event at this time still find a place? False lets the reader skip whole blocks.
  bool wants(Millis time) const;
  void add(Key key, Event event);
  // Nothing at or beyond this key was looked at: the page ends before it.
  void cut(Key key);

  bool is_cut() const { return cutoff_.has_value(); }
  const std::optional<Key>& cutoff() const { return cutoff_; }
  // In the order of time, whatever the direction.
  const std::map<Key, Event>& events() const { return events_; }

 private:
  bool beyond_cutoff(const Key& key) const;
  void drop_farthest();

  Direction direction_;
  PageLimits limits_;
  std::map<Key, Event> events_;
  std::size_t bytes_ = 0;
  std::optional<Key> cutoff_;
};

}  // namespace sampan::logs
