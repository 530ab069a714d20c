// The events of one stream: a directory of segments, of which the last grows.
//
//   <directory>/0000000000000000.log  0000000000004e20.log ...     named for their first event's index
//
// Thread-safe; blocking. Appends are in the order of the calls. Readers work on a snapshot and are not
// stopped by appends, nor by the removal of a segment that they have open.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

#include "logs/segment.h"

namespace sampan::logs {

struct StreamSummary {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::optional<Millis> first_time;  // the earliest and the latest event's
  std::optional<Millis> last_time;
  std::optional<Millis> last_ingested;
};

enum class Flush { kToDisk, kToKernel };  // survives power loss; survives kill -9 only

inline constexpr std::uint64_t kSegmentSize = 16 * 1024 * 1024;

class StreamFile {
 public:
  // Reads what is there and cuts what a kill left half-written. The directory is made by the first append.
  explicit StreamFile(std::filesystem::path directory, std::uint64_t segment_size = kSegmentSize);

  // All or nothing: when the disk refuses, the file is as before and core::Error is thrown.
  // `source_end`: nothing leaves it as it is. False: the stream is gone (remove()).
  bool append(const std::vector<NewEvent>& events, Millis ingested, std::optional<std::uint64_t> source_end,
              Flush flush);
  std::uint64_t source_end() const;
  StreamSummary summary() const;
  std::vector<Segment> snapshot() const;

  // Removes segments from the front as long as all their events are before `time`.
  void drop_before(Millis time);
  // Removes everything; later appends do nothing.
  void remove();

 private:
  void open_existing();
  void begin_segment();
  void write_batch(std::string_view bytes, Flush flush);

  const std::filesystem::path directory_;
  const std::uint64_t segment_size_;
  mutable std::mutex mutex_;
  std::vector<Segment> segments_;  // guarded by mutex_, as is:
  bool removed_ = false;
};

}  // namespace sampan::logs
