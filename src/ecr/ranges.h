// The two ranges of the registry's wire. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sampan::ecr {

// The bytes a GET asks for, of a body of `size`.
struct ByteRange {
  enum class Kind { kWhole, kPart, kUnsatisfiable };
  Kind kind = Kind::kWhole;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
// "bytes=0-9", "bytes=5-", "bytes=-3". What is malformed or asks for several parts is answered with the
// whole, as RFC 9110 14.2 allows; backwards ("bytes=9-5") is not satisfiable.
ByteRange parse_range(std::string_view header, std::uint64_t size);

// "0-9" of an upload's Content-Range ("bytes 0-9/100" as well): first and last byte. Nothing when malformed.
struct ChunkRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
std::optional<ChunkRange> parse_chunk_range(std::string_view header);

}  // namespace sampan::ecr
