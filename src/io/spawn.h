// Starting a child with exactly the descriptors it is given. Part of subprocess.cpp; others call run().
#pragma once

#include <sys/types.h>

#include <array>

#include "io/subprocess.h"

namespace sampan::io {

// In a process group of its own, with default signal handling, `standard` as 0, 1 and 2, command.inherit_fds
// above, and nothing else open. The caller reaps it. Throws core::Error when it cannot be started.
pid_t spawn_child(const Command& command, const std::array<int, 3>& standard);

}  // namespace sampan::io
