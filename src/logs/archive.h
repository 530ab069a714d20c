// The event files of all streams, by the ids of their group and stream:
//
//   <root>/<group id>/<stream id>/*.log
//
// Which ids stand for which names is the catalog's matter; ids are never used again. Thread-safe; blocking.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "logs/stream_file.h"

namespace sampan::logs {

struct StreamId {
  std::string group;
  std::string stream;

  auto operator<=>(const StreamId&) const = default;
};

class Archive {
 public:
  explicit Archive(std::filesystem::path root);

  // The stream's file, opened at first use. Shared by the archive and those who read or append just now.
  std::shared_ptr<StreamFile> stream(const StreamId& id);

  // For ids whose rows are gone. Who comes too late with such an id finds a file that takes nothing.
  void remove_stream(const StreamId& id);
  void remove_group(const std::string& group);
  // Removes what is not of these streams: what a kill left between the rows and the files.
  void keep_only(const std::set<StreamId>& streams);

  // Of all files of the group, without opening them.
  std::uint64_t stored_bytes(const std::string& group) const;

 private:
  struct Slot {
    std::mutex mutex;
    std::shared_ptr<StreamFile>
        file;  // guarded by the slot's mutex: opening one stream keeps no other waiting
  };

  std::filesystem::path directory(const StreamId& id) const { return root_ / id.group / id.stream; }

  const std::filesystem::path root_;
  std::mutex mutex_;
  std::map<StreamId, std::shared_ptr<Slot>> slots_;  // guarded by mutex_, as is:
  std::set<std::string> removed_groups_;
};

}  // namespace sampan::logs
