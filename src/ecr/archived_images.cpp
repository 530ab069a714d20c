#include "ecr/archived_images.h"

#include <algorithm>

#include "ecr/storage_class.h"

namespace sampan::ecr {

ArchivedImages::ArchivedImages(Repositories& repositories, core::Clock& clock)
    : repositories_(repositories), clock_(clock) {
  repositories.on_image_change([this](const std::string& key, const std::string*, const std::string* after) {
    change(key, after);
  });
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
  const auto needs = [&](const ImageRow& row) {
    return std::find(row.blobs.begin(), row.blobs.end(), blob) != row.blobs.end();
  };
  const auto& images = repositories_.images();
  bool hidden = false;
  for (const auto& key : archived) {
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
