// One file of a stream's events, and the sparse index over it that lets queries skip what is not of their
// time. Blocking.
#pragma once

#include <filesystem>
#include <vector>

#include "io/file.h"
#include "logs/batch.h"
#include "logs/event.h"

namespace sampan::logs {

// Neighbouring batches of together about kBlockSize: what one read fetches.
struct Block {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t first_index = 0;
  std::uint64_t count = 0;
  Millis first_time = 0;  // the earliest and the latest, not the first and the last
  Millis last_time = 0;
};

inline constexpr std::uint64_t kBlockSize = 64 * 1024;

// What is known of a segment without reading it.
struct Segment {
  std::filesystem::path path;
  SegmentHeader header;
  std::uint64_t size = 0;
  std::uint64_t next_index = 0;
  std::uint64_t source_end = 0;
  Millis last_ingested = 0;
  std::vector<Block> blocks;

  std::uint64_t events() const { return next_index - header.first_index; }
  // An event's batch of `size` bytes was written at the end of the file.
  void note(const std::vector<Millis>& times, Millis ingested, std::uint64_t source, std::uint64_t bytes);
};

// Reads the whole file and notes its batches up to the first one that is torn or damaged; `size` is where
// that begins. Nothing when not even the header is whole.
std::optional<Segment> scan_segment(const std::filesystem::path& path);

// The events of a block. What is damaged ends it early.
std::vector<Event> read_block(int fd, const Block& block);

}  // namespace sampan::logs
