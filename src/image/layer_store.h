// The one set of unpacked layers of a machine: each layer once, whoever uses it, named by its diff id.
//
//   <data-dir>/layers/<diff-id hex>/fs    the tree, ready as an overlayfs lower directory (whiteouts are
//                                         character devices 0/0, opaque directories carry
//                                         trusted.overlay.opaque=y); never written again
//   <data-dir>/layers/<diff-id hex>/boot  there while the tree may still be unwritten on the disk: the id of
//   the
//                                         boot that unpacked it; after a power failure such a layer is made
//                                         anew
//   <data-dir>/layers/<diff-id hex>/from  the digest of the blob it was unpacked from (or that was written
//   from it) <data-dir>/layers/incoming/<n>/fs     being unpacked; swept at start-up
//
// A tree is a cache of its blob: when collection finds the blob gone, or the tree long unused, and no task on
// it, it goes and may be unpacked again. What find(), ensure_unpacked() and adopt() return stays as
// ContentStore::has() says.
//
// Thread-safe. Blocking: call on the blocking pool.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "image/content_store.h"
#include "image/layer.h"
#include "image/unpack.h"

namespace sampan::image {

class LayerStore {
 public:
  // `content` must outlive this. One store a data directory.
  LayerStore(const std::filesystem::path& data_dir, const ContentStore& content, UnpackLimits limits = {});
  LayerStore(const LayerStore&) = delete;
  LayerStore& operator=(const LayerStore&) = delete;

  // The directory of the layer, unpacked now if it was not. Concurrent callers of one layer share the work.
  // Throws core::Error naming the layer and the entry at fault; nothing is left behind then.
  std::filesystem::path ensure_unpacked(const LayerDescriptor& layer);
  // The directory if it is unpacked already.
  std::optional<std::filesystem::path> find(const Digest& diff_id) const;
  // Takes `directory` (on this file system; an overlay's upper directory of the host's owners) over as the
  // tree of `diff_id`, by rename; when the layer is there already, `directory` is removed. Returns its new
  // place.
  std::filesystem::path adopt(const LayerDescriptor& layer, const std::filesystem::path& directory);
  // When nothing mounts it, whatever its use.
  void remove(const Digest& diff_id);
  // For collection, when no task runs on it: removes the tree unless it was asked for at `cutoff` or later.
  bool remove_idle(const Digest& diff_id, core::TimePoint cutoff);
  struct Tree {
    Digest diff_id;
    std::optional<Digest> from;  // absent: made before this was written down
    core::TimePoint used{};
  };
  // Every unpacked layer, in no order.
  std::vector<Tree> list() const;
  // A fresh directory on the same file system for what will be adopted (a build's upper directory). Swept at
  // start-up; the caller removes it when it is not adopted.
  std::filesystem::path new_directory();

 private:
  std::filesystem::path home(const Digest& diff_id) const;
  void sweep();
  void unpack(const LayerDescriptor& layer);
  void place(const std::filesystem::path& prepared, const LayerDescriptor& layer);
  void move_away(const Digest& diff_id, const std::filesystem::path& slot);
  void settle(const std::filesystem::path& home);

  const ContentStore& content_;
  UnpackLimits limits_;
  std::filesystem::path root_;
  std::string boot_id_;
  std::atomic<std::uint64_t> next_{1};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<Digest> busy_;  // layers being unpacked by some caller
  // Held alone from the look at a tree's last use until it is out of sight; held by many who ask for a tree.
  mutable std::shared_mutex guard_;
};

}  // namespace sampan::image
