// The sizes that every engine takes, etcd's own defaults where it has them, so that a state that fits one
// engine fits all.
#pragma once

#include <cstddef>

#include "store/store.h"

namespace sampan::store {

inline constexpr std::size_t kKeyLimit = 1024;
inline constexpr std::size_t kValueLimit = 1536 * 1024;
inline constexpr std::size_t kOperationLimit = 1000;  // of writes, and again of compares
// What may wait for the disk at once; beyond it commit() refuses instead of eating memory.
inline constexpr std::size_t kBacklogBytesLimit = 256 * 1024 * 1024;

// Throws core::Error that names the limit and the offender.
void check_limits(const Transaction& transaction);

}  // namespace sampan::store
