// Which leases live, and until when. Pure: time is given. After a restart every lease lives its whole ttl
// again, because nobody could keep it alive meanwhile.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "store/store.h"

namespace sampan::store {

struct LeaseEffect {
  LeaseId id = 0;
  std::optional<std::chrono::milliseconds> before;  // its ttl; nothing: no such lease
  std::optional<std::chrono::milliseconds> after;
};

class Leases {
 public:
  using Time = std::chrono::steady_clock::time_point;

  LeaseId next_id() { return ++last_id_; }
  LeaseId last_id() const { return last_id_; }
  void set_loaded_last_id(LeaseId id) { last_id_ = id; }

  void put(LeaseId id, std::chrono::milliseconds ttl, Time now) { leases_[id] = {ttl, now + ttl}; }
  void erase(LeaseId id) { leases_.erase(id); }
  bool keep_alive(LeaseId id, Time now);
  std::optional<std::chrono::milliseconds> ttl(LeaseId id) const;
  // A lease whose end could not be stored is tried again later.
  void postpone(LeaseId id, Time until);

  std::vector<LeaseId> expired(Time now) const;
  std::optional<Time> next_end() const;

 private:
  struct Lease {
    std::chrono::milliseconds ttl;
    Time end;
  };
  std::map<LeaseId, Lease> leases_;
  LeaseId last_id_ = 0;
};

}  // namespace sampan::store
