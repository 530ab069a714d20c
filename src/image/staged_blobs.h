// Small blobs that are to be read already and are not in a file yet. Who stages one keeps its bytes safe
// elsewhere until it has been written (ecr/pending_manifests.h: in a row). Bounded. Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "image/reference.h"

namespace sampan::image {

class StagedBlobs {
 public:
  static constexpr std::size_t kMostBytes = 64 * 1024 * 1024;
  using Bytes = std::shared_ptr<const std::string>;  // shared with who reads or writes them just now

  struct Blob {
    Bytes bytes;
    core::TimePoint used{};  // when it was last relied upon
  };

  // False when there are too many: write a file.
  bool add(const Digest& digest, std::string bytes, core::TimePoint now);
  std::optional<Blob> find(const Digest& digest) const;
  bool touch(const Digest& digest, core::TimePoint now);  // false: not here
  // What it was; nothing when it was not here.
  std::optional<Blob> remove(const Digest& digest);
  std::vector<Digest> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<Digest, Blob> blobs_;
  std::size_t bytes_ = 0;
  std::atomic<std::size_t> count_{0};  // nearly always none: a look costs no lock then
};

}  // namespace sampan::image
