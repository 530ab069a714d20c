#include "ecr/uploads.h"

namespace sampan::ecr {

Uploads::Claim::~Claim() {
  if (upload_) owner_->give_back(upload_, drop_);
}

std::optional<Uploads::Claim> Uploads::start(const RepositoryId& repository, core::HashAlgorithm algorithm) {
  const auto now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    if (uploads_.size() >= kMostUploads) forget_idle(now);
    if (uploads_.size() >= kMostUploads) return std::nullopt;
  }
  auto upload =
      std::make_shared<Upload>(ids_.uuid(), repository, content_.writer(io::Durability::kFlushed, algorithm));
  upload->busy = true;
  upload->used = now;
  const std::lock_guard lock(mutex_);
  uploads_.emplace(upload->id, upload);
  return Claim(*this, std::move(upload));
}

std::optional<Uploads::Claim> Uploads::claim(const RepositoryId& repository, const std::string& id,
                                             Problem& problem) {
  const std::lock_guard lock(mutex_);
  const auto found = uploads_.find(id);
  if (found == uploads_.end() || found->second->repository != repository) {
    problem = Problem::kUnknown;
    return std::nullopt;
  }
  if (found->second->busy) {
    problem = Problem::kBusy;
    return std::nullopt;
  }
  problem = Problem::kNone;
  found->second->busy = true;
  return Claim(*this, found->second);
}

void Uploads::give_back(const std::shared_ptr<Upload>& upload, bool drop) {
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  upload->busy = false;
  upload->used = now;
  if (drop) uploads_.erase(upload->id);
  forget_idle(now);
}

void Uploads::forget_idle(core::TimePoint now) {
  std::erase_if(uploads_, [now](const auto& entry) {
    return !entry.second->busy && now - entry.second->used > kUploadIdle;
  });
}

void Uploads::expire() {
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  forget_idle(now);
}

std::size_t Uploads::size() const {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}

}  // namespace sampan::ecr
