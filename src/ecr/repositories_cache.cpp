// Repositories: the manifests that are asked for again and again.
#include "ecr/image_row_codec.h"
#include "ecr/repositories.h"
#include "ecr/storage_class.h"

namespace sampan::ecr {
namespace {

// So long after a look on the strand a reference is answered without one: what else looks at pulls there (a
// cache of another registry, say) is asked this often.
constexpr std::chrono::seconds kLongestUnseen{30};

}  // namespace

ManifestCache::Found Repositories::cached_manifest(const RepositoryId& id, std::string_view reference,
                                                   Use use) const {
  if (manifests_.empty()) return nullptr;
  auto found = manifests_.find(id.key(), reference);
  if (!found) return nullptr;
  const auto now = clock_.now();
  if (now - found->cached_at >= kLongestUnseen) return nullptr;
  const bool noted = found->pulled_at && now - *found->pulled_at < kPullNoteInterval;
  if (use == Use::kPull && !noted) return nullptr;
  return found;
}

void Repositories::cache_manifest(const RepositoryId& id, const std::string& reference,
                                  ManifestCache::Entry entry) {
  if (reference != entry.digest.str() && find_tag(id, reference) != entry.digest) return;
  const auto* row = find_image(id, entry.digest);
  if (!row || row->media_type != entry.media_type) return;
  entry.cached_at = clock_.now();
  if (status_of(*row, entry.cached_at) != ImageStatus::kActive) return;
  entry.pulled_at = row->pulled_at;
  manifests_.put(id.key(), reference, std::make_shared<const ManifestCache::Entry>(std::move(entry)));
}

void Repositories::forget_cached(const std::string& key, const std::string* before,
                                 const std::string* after) {
  if (manifests_.empty()) return;
  const auto at = key.rfind('@');
  const auto repository = std::string_view(key).substr(0, at);
  manifests_.forget(repository, std::string_view(key).substr(at + 1));
  ImageFacts facts;
  for (const auto* row : {before, after}) {
    if (!row) continue;
    facts.read(*row);
    for (const auto tag : facts.tags) manifests_.forget(repository, tag);
  }
}

}  // namespace sampan::ecr
