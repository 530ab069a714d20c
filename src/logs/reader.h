// Fills a page from the segments of streams, reading as little of them as time ranges allow. Blocking.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "logs/page.h"
#include "logs/segment.h"

namespace sampan::logs {

struct StreamSnapshot {
  std::string id;
  std::vector<Segment> segments;
};

struct ReadQuery {
  Direction direction = Direction::kForward;
  // Forward: events at or after it. Backward: events before it. Nothing: from the beginning, or the end.
  std::optional<Key> position;
  Millis from = 0;                                    // first time that counts
  Millis until = std::numeric_limits<Millis>::max();  // first time that does not
  PageLimits limits;
  std::size_t scan_bytes = std::numeric_limits<std::size_t>::max();  // read no more than about this
  std::function<bool(const std::string& message)> accepts;           // nothing: all
};

// The page is cut where its limits or scan_bytes ended it. With scan_bytes it may be empty and still cut: the
// next page begins there.
Page read_page(const std::vector<StreamSnapshot>& streams, const ReadQuery& query);

}  // namespace sampan::logs
