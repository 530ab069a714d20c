#include "logs/archive.h"

#include <fmt/core.h>

#include <vector>

#include "core/error.h"

namespace sampan::logs {

namespace fs = std::filesystem;

Archive::Archive(fs::path root) : root_(std::move(root)) {
  io::make_directories(root_, 0750);
}

std::shared_ptr<StreamFile> Archive::stream(const StreamId& id) {
  std::shared_ptr<Slot> slot;
  bool removed = false;
  {
    std::lock_guard lock(mutex_);
    auto& found = slots_[id];
    if (!found) found = std::make_shared<Slot>();
    slot = found;
    removed = removed_groups_.contains(id.group);
  }
  std::lock_guard lock(slot->mutex);
  if (!slot->file) {
    slot->file = std::make_shared<StreamFile>(directory(id));
    if (removed) slot->file->remove();
  }
  return slot->file;
}

void Archive::remove_stream(const StreamId& id) {
  stream(id)->remove();
}

void Archive::remove_group(const std::string& group) {
  std::vector<StreamId> used;
  {
    std::lock_guard lock(mutex_);
    removed_groups_.insert(group);
    for (auto at = slots_.lower_bound({group, ""}); at != slots_.end() && at->first.group == group; ++at) {
      used.push_back(at->first);
    }
  }
  for (const auto& id : used) remove_stream(id);
  std::error_code error;
  fs::remove_all(root_ / group, error);
  if (error) throw core::Error(fmt::format("remove {}", (root_ / group).string()), error.message());
}

void Archive::keep_only(const std::set<StreamId>& streams) {
  for (const auto& group : fs::directory_iterator(root_)) {
    if (!group.is_directory()) continue;
    std::vector<fs::path> gone;
    for (const auto& stream : fs::directory_iterator(group)) {
      const StreamId id{group.path().filename().string(), stream.path().filename().string()};
      if (!streams.contains(id)) gone.push_back(stream.path());
    }
    for (const auto& path : gone) fs::remove_all(path);
    std::error_code not_empty;
    fs::remove(group, not_empty);
  }
}

std::uint64_t Archive::stored_bytes(const std::string& group) const {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(root_ / group, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    if (at->path().extension() != ".log") continue;
    const auto size = at->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace sampan::logs
