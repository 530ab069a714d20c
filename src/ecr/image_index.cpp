#include "ecr/image_index.h"

#include <algorithm>

#include "ecr/image_index_loader.h"
#include "ecr/names.h"

namespace sampan::ecr {
namespace {

std::string raw_digest_of_key(std::string_view key) {
  return digest_of_key(key).raw();
}

}  // namespace

const ImageIndex::Repository* ImageIndex::find(std::string_view repository) const {
  const auto found = repositories_.find(repository);
  return found == repositories_.end() ? nullptr : &found->second;
}

ImageIndex::Repository& ImageIndex::get(std::string_view repository) {
  auto found = repositories_.find(repository);
  if (found == repositories_.end())
    found = repositories_.emplace(std::string(repository), Repository()).first;
  return found->second;
}

void ImageIndex::load(const store::PackedTable<ImageRow>& images) {
  LoadedImages loaded = load_images(images, pool_);
  needed_ = std::move(loaded.needed);
  for (auto& repository : loaded.repositories) {
    auto& mine = get(repository.name);
    mine.tags = std::move(repository.tags);
    mine.images = repository.images;
  }
  for (const auto& relation : loaded.relations) {
    auto& mine = get(relation.repository);
    relate(relation.is_subject ? mine.referrers : mine.parents, relation.of, *pool_.find(relation.self));
  }
}

void ImageIndex::change(std::string_view key, const std::string* before, const std::string* after) {
  const auto name = key.substr(0, key.rfind('@'));
  before_.clear();
  after_.clear();
  if (before) before_.read(*before);
  if (after) after_.read(*after);
  const auto id = pool_.hold(raw_digest_of_key(key));
  auto& repository = get(name);
  // A tag that moved in this very transaction may name its new image already: that one keeps it.
  for (const auto tag : before_.tags) {
    if (!std::ranges::binary_search(after_.tags, tag)) repository.tags.erase(tag, id);
  }
  for (const auto tag : after_.tags) repository.tags.put(tag, id);
  if (!before || !after || !before_.same_relations(after_)) {
    remove_relations(name, id, before_);
    add_relations(name, id, after_);
  }
  if (after && !before) {
    ++repository.images;
    pool_.hold(raw_digest_of_key(key));
  }
  if (before && !after) {
    --repository.images;
    pool_.let_go(id);
  }
  pool_.let_go(id);
  if (repository.images == 0) repositories_.erase(repositories_.find(name));
}

void ImageIndex::add_relations(std::string_view name, Id self, const ImageFacts& facts) {
  auto& repository = get(name);
  for (const auto child : facts.children) relate(repository.parents, child, self);
  for (const auto blob : facts.blobs) ++needed_[need_number(name, blob)];
  if (!facts.subject.empty()) relate(repository.referrers, facts.subject, self);
}

void ImageIndex::remove_relations(std::string_view name, Id self, const ImageFacts& facts) {
  auto& repository = get(name);
  for (const auto child : facts.children) unrelate(repository.parents, child, self);
  for (const auto blob : facts.blobs) {
    const auto needed = needed_.find(need_number(name, blob));
    if (needed != needed_.end() && --needed->second == 0) needed_.erase(needed);
  }
  if (!facts.subject.empty()) unrelate(repository.referrers, facts.subject, self);
}

// A relation holds what it is of: that need not be an image here.
void ImageIndex::relate(Relation& relation, std::string_view of, Id to) {
  const auto id = pool_.hold(of);
  if (!relation.emplace(id, to).second) pool_.let_go(id);
}

void ImageIndex::unrelate(Relation& relation, std::string_view of, Id to) {
  const auto id = pool_.find(of);
  if (id && relation.erase({*id, to}) > 0) pool_.let_go(*id);
}

std::vector<image::Digest> ImageIndex::related(const Relation& relation, const image::Digest& of) const {
  std::vector<image::Digest> digests;
  const auto id = pool_.find(of.raw());
  if (!id) return digests;
  for (auto pair = relation.lower_bound({*id, 0}); pair != relation.end() && pair->first == *id; ++pair) {
    digests.push_back(*image::Digest::from_raw(pool_.raw(pair->second)));
  }
  std::sort(digests.begin(), digests.end());
  return digests;
}

std::optional<image::Digest> ImageIndex::find_tag(std::string_view repository, std::string_view tag) const {
  const auto* found = find(repository);
  const auto image = found ? found->tags.find(tag) : std::nullopt;
  if (!image) return std::nullopt;
  return image::Digest::from_raw(pool_.raw(*image));
}

const TagMap* ImageIndex::tags(std::string_view repository) const {
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
  return needed_.contains(need_number(repository, blob.raw()));
}

std::size_t ImageIndex::times_named(std::string_view repository, const image::Digest& blob) const {
  const auto found = needed_.find(need_number(repository, blob.raw()));
  return found == needed_.end() ? 0 : found->second;
}

}  // namespace sampan::ecr
