// What can be asked of a repository's images without reading them all: which image a tag names, which indexes
// hold an image, who refers to it. Kept in memory from the rows' changes. On the control strand.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ecr/rows.h"
#include "image/reference.h"

namespace sampan::ecr {

class ImageIndex {
 public:
  using RawDigest = std::string;  // 32 or 64 bytes: half of its text
  using Tags = std::map<std::string, RawDigest, std::less<>>;

  // A row under `key` ("<repository key>@<digest>") became `after`; nullptr: it is not there.
  void change(std::string_view key, const ImageRow* before, const ImageRow* after);

  std::optional<image::Digest> find_tag(std::string_view repository, std::string_view tag) const;
  // All tags in order; nullptr when there are none.
  const Tags* tags(std::string_view repository) const;
  // Indexes of the repository that hold this image.
  std::vector<image::Digest> parents(std::string_view repository, const image::Digest& image) const;
  std::vector<image::Digest> referrers(std::string_view repository, const image::Digest& subject) const;
  std::size_t image_count(std::string_view repository) const;
  // True when a manifest of the repository needs the blob.
  bool needs(std::string_view repository, const image::Digest& blob) const;

  static RawDigest to_raw(const image::Digest& digest);
  static image::Digest from_raw(const RawDigest& raw);

 private:
  struct Repository {
    Tags tags;
    std::map<RawDigest, std::set<RawDigest>> parents;
    std::map<RawDigest, std::set<RawDigest>> referrers;
    std::map<RawDigest, std::uint32_t> needed;  // blob -> manifests that name it
    std::size_t images = 0;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  const Repository* find(std::string_view repository) const;
  static void add(Repository& repository, const RawDigest& self, const ImageRow& row);
  static void remove(Repository& repository, const RawDigest& self, const ImageRow& row);

  std::unordered_map<std::string, Repository, Hash, std::equal_to<>> repositories_;
};

}  // namespace sampan::ecr
