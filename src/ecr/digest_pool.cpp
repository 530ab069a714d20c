#include "ecr/digest_pool.h"

#include "core/error.h"

namespace sampan::ecr {

DigestPool::Id DigestPool::hold(std::string_view raw) {
  if (const auto known = ids_.find(raw); known != ids_.end()) {
    ++slots_[known->second].holders;
    return known->second;
  }
  Id id = 0;
  if (free_.empty()) {
    id = static_cast<Id>(slots_.size());
    slots_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  slots_[id] = {std::string(raw), 1};
  ids_.emplace(slots_[id].raw, id);
  return id;
}

void DigestPool::let_go(Id id) {
  auto& slot = slots_[id];
  SAMPAN_CHECK(slot.holders > 0);
  if (--slot.holders > 0) return;
  ids_.erase(slot.raw);
  slot.raw = {};
  free_.push_back(id);
}

std::optional<DigestPool::Id> DigestPool::find(std::string_view raw) const {
  const auto known = ids_.find(raw);
  if (known == ids_.end()) return std::nullopt;
  return known->second;
}

}  // namespace sampan::ecr
