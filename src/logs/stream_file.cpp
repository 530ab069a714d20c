#include "logs/stream_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "core/error.h"
#include "core/log.h"

namespace sampan::logs {
namespace {

namespace fs = std::filesystem;

void cut(const fs::path& path, std::uint64_t size) {
  std::error_code error;
  fs::resize_file(path, size, error);
  if (error) throw core::Error(fmt::format("cut the torn end of {}", path.string()), error.message());
}

void sync_directory(const fs::path& directory) {
  auto file = io::open_file(directory, O_RDONLY | O_DIRECTORY);
  if (fsync(file.get()) != 0) throw core::errno_error(fmt::format("flush {}", directory.string()));
}

Millis last_time(const Segment& segment) {
  Millis last = 0;
  for (const auto& block : segment.blocks) last = std::max(last, block.last_time);
  return last;
}

}  // namespace

StreamFile::StreamFile(fs::path directory, std::uint64_t segment_size)
    : directory_(std::move(directory)), segment_size_(segment_size) {
  open_existing();
}

void StreamFile::open_existing() {
  std::vector<fs::path> paths;
  if (!fs::exists(directory_)) return;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    if (entry.path().extension() == ".log") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    auto segment = scan_segment(path);
    if (!segment) {
      core::log::warn("{} has no whole header: it is set aside", path.string());
      fs::rename(path, path.string() + ".damaged");
      continue;
    }
    const auto size = fs::file_size(path);
    if (size > segment->size) {
      core::log::warn("{} is damaged from byte {} on", path.string(), segment->size);
      if (path == paths.back()) cut(path, segment->size);
    }
    segments_.push_back(std::move(*segment));
  }
}

bool StreamFile::append(const std::vector<NewEvent>& events, Millis ingested,
                        std::optional<std::uint64_t> source_end, Flush flush) {
  std::lock_guard lock(mutex_);
  if (removed_) return false;
  if (segments_.empty() || segments_.back().size >= segment_size_) begin_segment();
  Segment& segment = segments_.back();
  const auto source = source_end.value_or(segment.source_end);
  const auto bytes = encode_batch(events, ingested, source);
  if (bytes.size() > kBatchPayloadLimit) {
    throw core::Error(
        fmt::format("append to {}", segment.path.string()),
        fmt::format("{} bytes at once: at most {} are taken", bytes.size(), kBatchPayloadLimit));
  }
  write_batch(bytes, flush);
  std::vector<Millis> times;
  times.reserve(events.size());
  for (const auto& event : events) times.push_back(event.time);
  segment.note(times, ingested, source, bytes.size());
  return true;
}

void StreamFile::begin_segment() {
  SegmentHeader header;
  if (!segments_.empty()) header = {segments_.back().next_index, segments_.back().source_end};
  io::make_directories(directory_);
  // Whole or not at all, so that the offset it carries can be relied on once older segments are removed.
  auto path = directory_ / fmt::format("{:016x}.log", header.first_index);
  io::replace_file(path, encode_header(header), io::Durability::kFlushed, 0640);
  if (segments_.empty()) sync_directory(directory_.parent_path());
  segments_.push_back({path, header, kSegmentHeaderSize, header.first_index, header.source_end, 0, {}});
}

void StreamFile::write_batch(std::string_view bytes, Flush flush) {
  // Opened for each append: most streams are of tasks long gone, and none of them shall keep a descriptor.
  Segment& segment = segments_.back();
  auto file = io::open_file(segment.path, O_WRONLY | O_APPEND);
  try {
    io::write_all(file.get(), bytes);
    if (flush == Flush::kToDisk && fdatasync(file.get()) != 0) {
      throw core::errno_error(fmt::format("flush {}", segment.path.string()));
    }
  } catch (const core::Error&) {
    cut(segment.path, segment.size);
    throw;
  }
}

std::uint64_t StreamFile::source_end() const {
  std::lock_guard lock(mutex_);
  return segments_.empty() ? 0 : segments_.back().source_end;
}

StreamSummary StreamFile::summary() const {
  std::lock_guard lock(mutex_);
  StreamSummary all;
  for (const auto& segment : segments_) {
    all.events += segment.events();
    all.bytes += segment.size;
    if (segment.events() > 0) {
      all.last_ingested = std::max(all.last_ingested.value_or(0), segment.last_ingested);
    }
    for (const auto& block : segment.blocks) {
      all.first_time = std::min(all.first_time.value_or(block.first_time), block.first_time);
      all.last_time = std::max(all.last_time.value_or(block.last_time), block.last_time);
    }
  }
  return all;
}

std::vector<Segment> StreamFile::snapshot() const {
  std::lock_guard lock(mutex_);
  return segments_;
}

void StreamFile::drop_before(Millis time) {
  std::lock_guard lock(mutex_);
  if (removed_ || segments_.empty()) return;
  // The last segment knows the source's offset and the next index: a new one takes them over first.
  if (segments_.back().events() > 0 && last_time(segments_.back()) < time) begin_segment();
  while (segments_.size() > 1 && last_time(segments_.front()) < time) {
    fs::remove(segments_.front().path);
    segments_.erase(segments_.begin());
  }
}

void StreamFile::remove() {
  std::lock_guard lock(mutex_);
  removed_ = true;
  segments_.clear();
  std::error_code gone;
  fs::remove_all(directory_, gone);
  if (gone) throw core::Error(fmt::format("remove {}", directory_.string()), gone.message());
}

}  // namespace sampan::logs
