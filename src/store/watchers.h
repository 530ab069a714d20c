// Who wants to hear of changes, and the telling. A watcher may watch and unwatch (itself too) while it is
// told. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/keyspace.h"
#include "store/store.h"

namespace sampan::store {

class Watchers {
 public:
  WatchId add(std::string prefix, Watcher watcher);
  void remove(WatchId id);

  // A watcher that throws ends the process: it would have missed a change, and what it keeps would be wrong
  // for ever.
  void tell(const Effects& effects) noexcept;
  // The reverse of tell(effects): in reverse order, with before and after exchanged.
  void tell_undone(const Effects& effects) noexcept;

  bool telling() const { return depth_ > 0; }

 private:
  struct Entry {
    WatchId id;
    std::string prefix;
    Watcher watcher;
    bool removed = false;
  };

  void tell_changes(const std::vector<Change>& changes) noexcept;

  std::vector<std::unique_ptr<Entry>> entries_;
  WatchId last_id_ = 0;
  int depth_ = 0;
};

}  // namespace sampan::store
