#include "ecr/image_index.h"

#include "core/encoding.h"
#include "ecr/names.h"

namespace sampan::ecr {
namespace {

using Relation = std::map<ImageIndex::RawDigest, std::set<ImageIndex::RawDigest>>;

void relate(Relation& relation, const image::Digest& from, const ImageIndex::RawDigest& to) {
  relation[ImageIndex::to_raw(from)].insert(to);
}

void unrelate(Relation& relation, const image::Digest& from, const ImageIndex::RawDigest& to) {
  const auto found = relation.find(ImageIndex::to_raw(from));
  if (found == relation.end()) return;
  found->second.erase(to);
  if (found->second.empty()) relation.erase(found);
}

std::vector<image::Digest> related(const Relation& relation, const image::Digest& from) {
  std::vector<image::Digest> digests;
  if (const auto found = relation.find(ImageIndex::to_raw(from)); found != relation.end()) {
    for (const auto& raw : found->second) digests.push_back(ImageIndex::from_raw(raw));
  }
  return digests;
}

}  // namespace

ImageIndex::RawDigest ImageIndex::to_raw(const image::Digest& digest) {
  return *core::from_hex(digest.hex());
}

image::Digest ImageIndex::from_raw(const RawDigest& raw) {
  const auto algorithm = raw.size() == 32 ? core::HashAlgorithm::kSha256 : core::HashAlgorithm::kSha512;
  return *image::Digest::from_hex(algorithm, core::to_hex(raw));
}

const ImageIndex::Repository* ImageIndex::find(std::string_view repository) const {
  const auto found = repositories_.find(repository);
  return found == repositories_.end() ? nullptr : &found->second;
}

void ImageIndex::change(std::string_view key, const ImageRow* before, const ImageRow* after) {
  const auto name = key.substr(0, key.rfind('@'));
  auto found = repositories_.find(name);
  if (found == repositories_.end()) found = repositories_.emplace(std::string(name), Repository()).first;
  const auto self = to_raw(digest_of_key(key));
  if (before) remove(found->second, self, *before);
  if (after) add(found->second, self, *after);
  if (found->second.images == 0) repositories_.erase(found);
}

void ImageIndex::add(Repository& repository, const RawDigest& self, const ImageRow& row) {
  ++repository.images;
  for (const auto& tag : row.tags) repository.tags.insert_or_assign(tag, self);
  for (const auto& child : row.children) relate(repository.parents, child, self);
  for (const auto& blob : row.blobs) ++repository.needed[to_raw(blob)];
  if (row.subject) relate(repository.referrers, *row.subject, self);
}

void ImageIndex::remove(Repository& repository, const RawDigest& self, const ImageRow& row) {
  --repository.images;
  for (const auto& tag : row.tags) {
    // A tag that moved in this very transaction may name its new image already.
    const auto found = repository.tags.find(tag);
    if (found != repository.tags.end() && found->second == self) repository.tags.erase(found);
  }
  for (const auto& child : row.children) unrelate(repository.parents, child, self);
  for (const auto& blob : row.blobs) {
    const auto needed = repository.needed.find(to_raw(blob));
    if (needed != repository.needed.end() && --needed->second == 0) repository.needed.erase(needed);
  }
  if (row.subject) unrelate(repository.referrers, *row.subject, self);
}

std::optional<image::Digest> ImageIndex::find_tag(std::string_view repository, std::string_view tag) const {
  const auto* found = find(repository);
  if (!found) return std::nullopt;
  const auto named = found->tags.find(tag);
  if (named == found->tags.end()) return std::nullopt;
  return from_raw(named->second);
}

const ImageIndex::Tags* ImageIndex::tags(std::string_view repository) const {
  const auto* found = find(repository);
  return found ? &found->tags : nullptr;
}

std::vector<image::Digest> ImageIndex::parents(std::string_view repository,
                                               const image::Digest& image) const {
  const auto* found = find(repository);
  return found ? related(found->parents, image) : std::vector<image::Digest>();
}

std::vector<image::Digest> ImageIndex::referrers(std::string_view repository,
                                                 const image::Digest& subject) const {
  const auto* found = find(repository);
  return found ? related(found->referrers, subject) : std::vector<image::Digest>();
}

std::size_t ImageIndex::image_count(std::string_view repository) const {
  const auto* found = find(repository);
  return found ? found->images : 0;
}

bool ImageIndex::needs(std::string_view repository, const image::Digest& blob) const {
  const auto* found = find(repository);
  return found && found->needed.contains(to_raw(blob));
}

}  // namespace sampan::ecr
