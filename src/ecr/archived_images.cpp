#include "ecr/archived_images.h"

#include <algorithm>

#include "ecr/storage_class.h"

namespace sampan::ecr {

ArchivedImages::ArchivedImages(Repositories& repositories, core::Clock& clock)
    : repositories_(repositories), clock_(clock) {
  for (const auto& [key, row] : repositories.images()) change(key, &row.value);
  repositories.on_image_change(
      [this](const std::string& key, const ImageRow*, const ImageRow* after) { change(key, after); });
}

void ArchivedImages::change(const std::string& key, const ImageRow* row) {
  const auto repository = key.substr(0, key.rfind('@'));
  if (row && row->archived_at) {
    ever_archived_[repository].insert(key);
    return;
  }
  const auto found = ever_archived_.find(repository);
  if (found == ever_archived_.end()) return;
  found->second.erase(key);
  if (found->second.empty()) ever_archived_.erase(found);
}

bool ArchivedImages::hides(const RepositoryId& repository, const image::Digest& blob) const {
  const auto found = ever_archived_.find(repository.key());
  if (found == ever_archived_.end()) return false;
  const auto now = clock_.now();
  const auto needs = [&](const ImageRow& row) {
    return std::find(row.blobs.begin(), row.blobs.end(), blob) != row.blobs.end();
  };
  const auto& images = repositories_.images();
  bool hidden = false;
  for (const auto& key : found->second) {
    const auto* row = images.find(key);
    if (row && status_of(*row, now) != ImageStatus::kActive && needs(*row)) hidden = true;
  }
  if (!hidden) return false;
  const auto prefix = repository.key() + '@';
  for (auto row = images.lower_bound(prefix); row != images.end() && row->first.starts_with(prefix); ++row) {
    if (status_of(row->second.value, now) == ImageStatus::kActive && needs(row->second.value)) return false;
  }
  return true;
}

}  // namespace sampan::ecr
