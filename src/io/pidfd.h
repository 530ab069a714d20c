// Any process by a descriptor: its end can be awaited and it can be signalled, though it is no child of ours
// (a container's monitor after the daemon started again). What a descriptor refers to never changes; a bare
// pid may be another process by the next line. The exit status is not to be had this way.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "io/executors.h"
#include "io/file.h"

namespace sampan::io {

// What tells a process from a later one with its number: to be stored beside the pid.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // since boot: field 22 of /proc/PID/stat
  bool operator==(const ProcessIdentity&) const = default;
};

// Nothing when there is no such process.
std::optional<ProcessIdentity> identify_process(pid_t pid);

class PidFd {
 public:
  // Nothing when there is no such process (any more); other failures throw core::Error.
  static std::optional<PidFd> open(pid_t pid);
  // Nothing, too, when the pid belongs to another process by now.
  static std::optional<PidFd> open(const ProcessIdentity& identity);

  pid_t pid() const { return pid_; }
  bool has_exited() const;  // also true of a zombie
  // False when it has exited; throws core::Error when not allowed.
  bool send_signal(int signal) const;

  // Both may run while the object is moved or destroyed.
  Awaitable<void> wait_exit() const;
  Awaitable<bool> wait_exit_for(std::chrono::milliseconds limit) const;  // false: still running

 private:
  PidFd(pid_t pid, UniqueFd fd) : pid_(pid), fd_(std::move(fd)) {}
  pid_t pid_;
  UniqueFd fd_;
};

}  // namespace sampan::io
