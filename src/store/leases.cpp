#include "store/leases.h"

namespace sampan::store {

bool Leases::keep_alive(LeaseId id, Time now) {
  auto found = leases_.find(id);
  if (found == leases_.end()) return false;
  found->second.end = now + found->second.ttl;
  return true;
}

std::optional<std::chrono::milliseconds> Leases::ttl(LeaseId id) const {
  auto found = leases_.find(id);
  if (found == leases_.end()) return std::nullopt;
  return found->second.ttl;
}

void Leases::postpone(LeaseId id, Time until) {
  auto found = leases_.find(id);
  if (found != leases_.end() && found->second.end < until) found->second.end = until;
}

std::vector<LeaseId> Leases::expired(Time now) const {
  std::vector<LeaseId> ended;
  for (const auto& [id, lease] : leases_) {
    if (lease.end <= now) ended.push_back(id);
  }
  return ended;
}

std::optional<Leases::Time> Leases::next_end() const {
  std::optional<Time> first;
  for (const auto& [id, lease] : leases_) {
    if (!first || lease.end < *first) first = lease.end;
  }
  return first;
}

}  // namespace sampan::store
