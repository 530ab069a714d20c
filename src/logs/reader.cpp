#include "logs/reader.h"

#include <fcntl.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "io/file.h"

namespace sampan::logs {
namespace {

struct Candidate {
  const StreamSnapshot* stream;
  const Segment* segment;
  const Block* block;
};

bool in_range(const ReadQuery& query, const Block& block) {
  if (block.last_time < query.from || block.first_time >= query.until) return false;
  if (!query.position) return true;
  return query.direction == Direction::kForward ? block.last_time >= query.position->time
                                                : block.first_time <= query.position->time;
}

bool in_range(const ReadQuery& query, const Key& key) {
  if (key.time < query.from || key.time >= query.until) return false;
  if (!query.position) return true;
  return query.direction == Direction::kForward ? key >= *query.position : key < *query.position;
}

// The nearest first, so that reading can end at the first block that has nothing more for the page.
std::vector<Candidate> candidates(const std::vector<StreamSnapshot>& streams, const ReadQuery& query) {
  std::vector<Candidate> found;
  for (const auto& stream : streams) {
    for (const auto& segment : stream.segments) {
      for (const auto& block : segment.blocks) {
        if (in_range(query, block)) found.push_back({&stream, &segment, &block});
      }
    }
  }
  std::ranges::sort(found, [&](const Candidate& a, const Candidate& b) {
    return query.direction == Direction::kForward ? a.block->first_time < b.block->first_time
                                                  : a.block->last_time > b.block->last_time;
  });
  return found;
}

// Segments stay open for one page only, and few at a time.
class OpenSegments {
 public:
  // -1: it is gone meanwhile (its stream was deleted, or all in it expired).
  int descriptor(const Segment& segment) {
    if (auto found = open_.find(&segment); found != open_.end()) return found->second.get();
    if (open_.size() >= kOpenLimit) open_.clear();
    const int fd = ::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return -1;
    if (fd < 0) throw core::errno_error("open " + segment.path.string());
    return open_.emplace(&segment, io::UniqueFd(fd)).first->second.get();
  }

 private:
  static constexpr std::size_t kOpenLimit = 32;
  std::map<const Segment*, io::UniqueFd> open_;
};

Millis near_end(const ReadQuery& query, const Block& block) {
  return query.direction == Direction::kForward ? block.first_time : block.last_time;
}

// Ending at `time` must leave the next page something that this one had not.
bool gets_on(const ReadQuery& query, Millis time) {
  if (query.direction == Direction::kBackward) return !query.position || time < query.position->time;
  return time > (query.position ? std::max(query.position->time, query.from) : query.from);
}

Key end_at(const ReadQuery& query, Millis time) {
  if (query.direction == Direction::kForward) return {time, "", 0};
  return {time, "\xff", std::numeric_limits<std::uint64_t>::max()};
}

}  // namespace

Page read_page(const std::vector<StreamSnapshot>& streams, const ReadQuery& query) {
  Page page(query.direction, query.limits);
  OpenSegments open;
  std::size_t scanned = 0;
  for (const auto& [stream, segment, block] : candidates(streams, query)) {
    const Millis near = near_end(query, *block);
    if (!page.wants(near)) break;
    if (scanned >= query.scan_bytes && gets_on(query, near)) {
      page.cut(end_at(query, near));
      break;
    }
    const int fd = open.descriptor(*segment);
    if (fd < 0) continue;
    scanned += block->size;
    for (auto& event : read_block(fd, *block)) {
      Key key{event.time, stream->id, event.index};
      if (!in_range(query, key)) continue;
      if (query.accepts && !query.accepts(event.message)) continue;
      page.add(std::move(key), std::move(event));
    }
  }
  return page;
}

}  // namespace sampan::logs
