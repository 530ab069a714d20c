// Control groups of tasks: one parent a task with the task's limits; the containers' own lie below it and
// are made by the OCI runtime. Both cgroup v1 (a directory in each controller's tree) and v2. Blocking,
// every call idempotent; an absent group is empty, not an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "runtime/spec.h"

namespace sampan::runtime {

struct CgroupUsage {
  std::uint64_t cpu_nanoseconds = 0;
  std::uint64_t memory_bytes = 0;        // with page cache
  std::uint64_t memory_cache_bytes = 0;  // inactive file pages, which `docker stats` subtracts
  std::uint64_t memory_limit_bytes = 0;  // 0: none
  std::uint64_t memory_peak_bytes = 0;
  std::uint64_t pids = 0;
  std::uint64_t oom_kills = 0;  // of this very group: read it before the group is removed
};

class Cgroups {
 public:
  explicit Cgroups(CgroupLayout layout) : layout_(std::move(layout)) {}

  // `path` is "/sampan-<instance>/<task>"; makes it (and its parents) and sets the limits.
  void create(const std::string& path, const Resources& limits) const;
  // Kills what is left in it, then removes it and everything below.
  void remove(const std::string& path) const;
  // SIGKILL to every process in it and below; returns when none is left or throws after 10 s.
  void kill_all(const std::string& path) const;
  std::vector<int> processes(const std::string& path) const;  // it and below
  CgroupUsage usage(const std::string& path) const;
  std::vector<std::string> children(const std::string& path) const;  // names, for recovery

 private:
  std::vector<std::filesystem::path> directories(const std::string& path) const;
  std::filesystem::path directory(const std::string& controller, const std::string& path) const;
  CgroupLayout layout_;
};

// Weight of cgroup v2 for shares of v1, as the OCI runtimes convert (2…262144 -> 1…10000). Pure.
std::uint64_t weight_for_shares(std::int64_t shares);

}  // namespace sampan::runtime
