// What lies in a container's folder (see container.h), and who its processes are. Internal to runtime/.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "io/pidfd.h"
#include "runtime/container.h"

namespace sampan::runtime {

// Which processes a container consists of. Stored, because a pid alone may name a stranger after a restart.
struct ContainerProcesses {
  io::ProcessIdentity first;    // the container's process 1
  io::ProcessIdentity monitor;  // conmon
};

class ContainerFiles {
 public:
  explicit ContainerFiles(const ContainerRef& container) : id_(container.id), folder_(container.folder) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path config() const { return folder_ / "config.json"; }
  std::filesystem::path log() const { return folder_ / "ctr.log"; }
  std::filesystem::path runtime_log() const { return folder_ / "runtime.log"; }
  std::filesystem::path pid() const { return folder_ / "pid"; }
  std::filesystem::path monitor_pid() const { return folder_ / "conmon.pid"; }
  std::filesystem::path state() const { return folder_ / "state"; }
  std::filesystem::path exit() const { return state() / id_; }
  std::filesystem::path spec() const { return folder_ / "spec.json"; }

  // Makes the folders and takes away what an earlier attempt left there.
  void prepare() const;
  void store_processes(const ContainerProcesses& processes) const;
  std::optional<ContainerProcesses> processes() const;
  // What conmon wrote when the container ended; nothing before.
  std::optional<ExitStatus> exit_status() const;

 private:
  std::string id_;
  std::filesystem::path folder_;
};

// Ids go into paths and command lines: throws core::Error unless [A-Za-z0-9][A-Za-z0-9_.-]{0,127}.
void require_valid_id(const std::string& id);

}  // namespace sampan::runtime
