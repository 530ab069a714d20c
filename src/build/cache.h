// What a step made last time, by a key that covers all it depended on.
//   <data-dir>/build/cache/ab/<key>    one JSON object: the layer's descriptor, or none, and when it was made
// A row is only a hint: one whose layer is gone, or that cannot be read, is as good as none. Thread-safe,
// blocking.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/encoding.h"
#include "image/content_store.h"
#include "image/layer.h"

namespace sampan::build {

// Names what a step depends on; fields cannot run into each other.
class KeyBuilder {
 public:
  explicit KeyBuilder(std::string_view kind) { add(kind); }
  KeyBuilder& add(std::string_view field);
  std::string finish() { return hash_.finish_hex(); }

 private:
  core::Sha256 hash_;
};

struct CachedStep {
  std::optional<image::LayerDescriptor> layer;  // absent: the step changed no files
  std::string created;                          // RFC 3339
};

class StepCache {
 public:
  StepCache(std::filesystem::path directory, const image::ContentStore& content);
  std::optional<CachedStep> find(const std::string& key) const;
  void store(const std::string& key, const CachedStep& step) const;
  // For collection: tells the layer of every row used at `cutoff` or later, removes the others (only counts
  // them with kDryRun); how many those are.
  enum class Removal { kReal, kDryRun };
  std::uint64_t collect(core::TimePoint cutoff, Removal removal,
                        const std::function<void(const image::Digest&)>& keep) const;

 private:
  std::filesystem::path file(const std::string& key) const;
  std::filesystem::path directory_;
  const image::ContentStore& content_;
};

}  // namespace sampan::build
