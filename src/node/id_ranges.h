// Ranges of 65536 host user ids, one a user namespace. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string_view>

#include "node/namespaces.h"

namespace sampan::node {

class IdRanges {
 public:
  // Instances begin at different places, so that several on one machine rarely meet.
  explicit IdRanges(std::string_view instance);
  IdRange take();
  void reserve(const IdRange& ids);  // in use since before
  void release(const IdRange& ids);

 private:
  std::mutex mutex_;
  std::set<std::uint32_t> used_;  // slots
  std::uint32_t next_;
};

}  // namespace sampan::node
