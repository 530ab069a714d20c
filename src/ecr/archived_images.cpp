#include "ecr/archived_images.h"

#include <algorithm>

#include "ecr/storage_class.h"

namespace sampan::ecr {

ArchivedImages::ArchivedImages(Repositories& repositories, core::Clock& clock)
    : repositories_(repositories), clock_(clock) {
  repositories.on_image_change(
      [this](const std::string& key, const std::string*, const std::string* after) { change(key, after); });
}

void ArchivedImages::change(const std::string& key, const std::string* row) {
  const auto found = known_.find(std::string_view(key).substr(0, key.rfind('@')));
  if (found == known_.end()) return;
  if (row && store::RowCodec<ImageRow>::decode(*row).archived_at) {
    found->second.insert(key);
  } else {
    found->second.erase(key);
  }
}

const ArchivedImages::Keys& ArchivedImages::keys_of(const std::string& repository) const {
  if (const auto found = known_.find(repository); found != known_.end()) return found->second;
  auto& keys = known_[repository];
  const auto prefix = repository + '@';
  const auto& images = repositories_.images();
  for (auto row = images.lower_bound(prefix); row != images.end() && row.key().starts_with(prefix); ++row) {
    if (row->second.value.archived_at) keys.insert(row->first);
  }
  return keys;
}

bool ArchivedImages::hides(const RepositoryId& repository, const image::Digest& blob) const {
  const auto& archived = keys_of(repository.key());
  if (archived.empty()) return false;
  const auto now = clock_.now();
  const auto& images = repositories_.images();
  std::size_t by_archived = 0;
  for (const auto& key : archived) {
    const auto* row = images.find(key);
    if (!row || status_of(*row, now) == ImageStatus::kActive) continue;
    by_archived += static_cast<std::size_t>(std::count(row->blobs.begin(), row->blobs.end(), blob));
  }
  return by_archived > 0 && by_archived >= repositories_.index().times_named(repository.key(), blob);
}

}  // namespace sampan::ecr
