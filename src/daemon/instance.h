// The instance on this machine: its directories, its lock, its pid file.
#pragma once

#include <memory>
#include <optional>

#include "daemon/options.h"
#include "io/file.h"

namespace sampan::daemon {

// Held for the life of the process. A second daemon with the same data or run directory cannot take it.
class InstanceLock {
 public:
  // Makes the directories. Throws core::Error that names the holder.
  explicit InstanceLock(const Options& options);
  // Writes <run-dir>/sampand.pid; removed by the destructor.
  void write_pid();
  ~InstanceLock();

 private:
  std::filesystem::path pid_file_;
  io::FileLock data_;
  io::FileLock run_;
  bool wrote_pid_ = false;
};

// Throws core::Error unless the process may make namespaces, mounts and networks.
void require_privilege();

}  // namespace sampan::daemon
