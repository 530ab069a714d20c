#include "logs/segment.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"

namespace sampan::logs {
namespace {

constexpr std::size_t kScanChunk = 1024 * 1024;

std::string read_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const auto got = pread(fd, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw core::errno_error("read log events");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

std::vector<Millis> times_of(const Batch& batch) {
  std::vector<Millis> times;
  times.reserve(batch.items.size());
  for (const auto& item : batch.items) times.push_back(item.time);
  return times;
}

}  // namespace

void Segment::note(const std::vector<Millis>& times, Millis ingested, std::uint64_t source,
                   std::uint64_t bytes) {
  source_end = source;
  if (!times.empty()) {
    const auto [first, last] = std::ranges::minmax(times);
    if (blocks.empty() || blocks.back().size + bytes > kBlockSize) {
      blocks.push_back({size, 0, next_index, 0, first, last});
    }
    Block& block = blocks.back();
    block.first_time = std::min(block.first_time, first);
    block.last_time = std::max(block.last_time, last);
    block.count += times.size();
    last_ingested = std::max(last_ingested, ingested);
    next_index += times.size();
  }
  size += bytes;
  // A batch that only moves the source's offset belongs to the block before it, so that blocks have no holes.
  if (!blocks.empty()) blocks.back().size = size - blocks.back().offset;
}

std::optional<Segment> scan_segment(const std::filesystem::path& path) {
  auto file = io::open_file(path, O_RDONLY);
  auto header = decode_header(read_at(file.get(), 0, kSegmentHeaderSize));
  if (!header) return std::nullopt;
  Segment segment{path, *header, kSegmentHeaderSize, header->first_index, header->source_end, 0, {}};

  struct stat status{};
  if (fstat(file.get(), &status) != 0) throw core::errno_error("stat " + path.string());
  const auto file_size = static_cast<std::uint64_t>(status.st_size);
  std::size_t want = kScanChunk;
  while (segment.size < file_size) {
    const auto bytes = read_at(file.get(), segment.size, want);
    std::string_view rest = bytes;
    while (auto batch = decode_batch(rest)) {
      segment.note(times_of(*batch), batch->ingested, batch->source_end, batch->size);
      rest.remove_prefix(batch->size);
    }
    const bool moved = rest.size() < bytes.size();
    if (moved) {
      want = kScanChunk;
      continue;
    }
    if (bytes.size() < want || want > kBatchPayloadLimit) break;  // torn, damaged
    want *= 4;                                                    // a batch larger than the chunk
  }
  return segment;
}

std::vector<Event> read_block(int fd, const Block& block) {
  const auto bytes = read_at(fd, block.offset, block.size);
  std::vector<Event> events;
  events.reserve(block.count);
  std::string_view rest = bytes;
  std::uint64_t index = block.first_index;
  while (auto batch = decode_batch(rest)) {
    for (const auto& item : batch->items) {
      events.push_back({item.time, batch->ingested, index++, std::string(item.message)});
    }
    rest.remove_prefix(batch->size);
  }
  return events;
}

}  // namespace sampan::logs
