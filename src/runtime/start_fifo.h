// Letting a container that runc created run, without a run of runc: what `runc start` does is to take one
// byte from the fifo at which the container's first process waits, and to remove the fifo (runc 1.0 to 1.3,
// libcontainer's exec.fifo; we use no poststart hooks). It saves a process of 5 ms at every start. crun's
// fifo works the other way round. Internal to runtime/; blocking.
#pragma once

#include <filesystem>
#include <optional>

#include "io/pidfd.h"

namespace sampan::runtime {

// False when there is no such fifo. Throws core::Error when the first process ended without coming to it.
bool start_by_fifo(const std::filesystem::path& fifo, const std::optional<io::PidFd>& first_process);

}  // namespace sampan::runtime
