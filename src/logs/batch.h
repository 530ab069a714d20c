// The bytes of a segment file. Pure.
//
//   segment = header batch*
//   header  = "SMPLOG01" first_index:u64 source_end:u64 crc:u32        (crc of the 24 bytes before)
//   batch   = size:u32 crc:u32 payload                                 (both of the payload)
//   payload = source_end:u64 ingested:i64 count:u32 { time:i64 size:u32 message }*
//
// All little-endian. One append is one batch, so that the lines of a container and the offset that they reach
// in their source stand or fall together. A kill in the middle of a write leaves a batch that is short or
// whose crc is wrong: it and what follows never happened.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "logs/event.h"

namespace sampan::logs {

struct SegmentHeader {
  std::uint64_t first_index = 0;
  std::uint64_t source_end = 0;  // as the segments before left it: they may be gone by now
};

inline constexpr std::size_t kSegmentHeaderSize = 28;
inline constexpr std::size_t kBatchHeaderSize = 8;
inline constexpr std::size_t kBatchPayloadLimit = 64 * 1024 * 1024;

std::string encode_header(const SegmentHeader& header);
std::optional<SegmentHeader> decode_header(std::string_view bytes);

std::string encode_batch(const std::vector<NewEvent>& events, Millis ingested, std::uint64_t source_end);

struct Batch {
  std::uint64_t source_end = 0;
  Millis ingested = 0;
  struct Item {
    Millis time;
    std::string_view message;
  };
  std::vector<Item> items;
  std::size_t size = 0;  // in the file, its header counted
};

// The batch at the front of `bytes`; nothing when it is torn or damaged. Views point into `bytes`.
std::optional<Batch> decode_batch(std::string_view bytes);

}  // namespace sampan::logs
