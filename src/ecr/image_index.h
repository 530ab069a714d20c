// What can be asked of a repository's images without reading them all: which image a tag names, which indexes
// hold an image, who refers to it. Kept in memory from the rows' changes. On the control strand.
//
// Made for 100,000 images with a million tags: digests are numbers here (DigestPool), tags lie packed and in
// order (TagMap), and load() fills both at once instead of one by one.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ecr/digest_pool.h"
#include "ecr/image_row_codec.h"
#include "ecr/rows.h"
#include "ecr/tag_map.h"
#include "image/reference.h"
#include "store/packed_table.h"

namespace sampan::ecr {

class ImageIndex {
 public:
  // All rows, once, before any change(). Uses a second thread while it runs. Throws core::Error that names
  // the row which cannot be read.
  void load(const store::PackedTable<ImageRow>& images);
  // The row under `key` ("<repository key>@<digest>") became `after`, both as they are stored; nullptr: it is
  // not there.
  void change(std::string_view key, const std::string* before, const std::string* after);

  std::optional<image::Digest> find_tag(std::string_view repository, std::string_view tag) const;
  // All tags in order; nullptr when there are none.
  const TagMap* tags(std::string_view repository) const;
  // Indexes of the repository that hold this image.
  std::vector<image::Digest> parents(std::string_view repository, const image::Digest& image) const;
  std::vector<image::Digest> referrers(std::string_view repository, const image::Digest& subject) const;
  std::size_t image_count(std::string_view repository) const;
  // True when a manifest of the repository needs the blob (and, once in 2^64, when none does).
  bool needs(std::string_view repository, const image::Digest& blob) const;
  // How often the repository's manifests name it: a layer that one has twice counts twice.
  std::size_t times_named(std::string_view repository, const image::Digest& blob) const;

 private:
  using Id = DigestPool::Id;
  using Relation = std::set<std::pair<Id, Id>>;  // of what to whom
  struct Repository {
    TagMap tags;
    Relation parents;
    Relation referrers;
    std::size_t images = 0;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  // By a number made of the repository's name and the blob's digest: how many manifests name it.
  using Needed = boost::unordered_flat_map<std::uint64_t, std::uint32_t>;

  const Repository* find(std::string_view repository) const;
  Repository& get(std::string_view repository);
  std::vector<image::Digest> related(const Relation& relation, const image::Digest& of) const;
  void add_relations(std::string_view name, Id self, const ImageFacts& facts);
  void remove_relations(std::string_view name, Id self, const ImageFacts& facts);
  void relate(Relation& relation, std::string_view of, Id to);
  void unrelate(Relation& relation, std::string_view of, Id to);

  std::unordered_map<std::string, Repository, Hash, std::equal_to<>> repositories_;
  DigestPool pool_;
  Needed needed_;
  ImageFacts before_;  // kept for their room
  ImageFacts after_;
};

}  // namespace sampan::ecr
