// Keeps the kernel ready to move processes between control groups while containers are being created.
//
// Every write to a cgroup.procs takes a lock whose first taker waits for an RCU grace period (7 to 15 ms
// measured, on the path of every start); takers that follow within the next grace period do not wait. While a
// Hold lives, a thread of ours writes this process into the group that it is in already, every 2 ms: nothing
// moves, and the OCI runtime's own writes find the lock warm. With no Hold nothing is done. Thread-safe.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "runtime/host.h"

namespace sampan::runtime {

class MigrationWarmth {
 public:
  explicit MigrationWarmth(CgroupLayout layout);
  ~MigrationWarmth();
  MigrationWarmth(const MigrationWarmth&) = delete;
  MigrationWarmth& operator=(const MigrationWarmth&) = delete;

  class Hold {
   public:
    explicit Hold(MigrationWarmth& warmth);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    MigrationWarmth& warmth_;
  };

 private:
  void work();

  const CgroupLayout layout_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int holds_ = 0;
  bool closing_ = false;
  std::thread thread_;  // from the first Hold on
};

// The cgroup.procs of a process whose /proc/<pid>/cgroup reads so; nothing when it lies outside what is
// mounted (a cgroup namespace). Pure.
std::optional<std::filesystem::path> migration_file(const CgroupLayout& layout, std::string_view proc_cgroup);

}  // namespace sampan::runtime
