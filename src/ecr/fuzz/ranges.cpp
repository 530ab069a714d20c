// Range and Content-Range. The first byte chooses the size of the body.
#include "ecr/ranges.h"

#include "core/fuzz_target.h"

namespace sampan::ecr {
namespace {

FUZZ_TARGET(ranges) {
  if (input.empty()) return;
  const std::uint64_t sizes[] = {0, 1, 10, 1ULL << 40, UINT64_MAX};
  const auto size = sizes[static_cast<unsigned char>(input.front()) % 5];
  const auto header = input.substr(1);
  const auto range = parse_range(header, size);
  if (range.kind == ByteRange::Kind::kPart) {
    FUZZ_CHECK(range.length > 0);
    FUZZ_CHECK(range.offset < size);
    FUZZ_CHECK(range.length <= size - range.offset);
  }
  if (const auto chunk = parse_chunk_range(header)) FUZZ_CHECK(chunk->first <= chunk->last);
}

}  // namespace
}  // namespace sampan::ecr
