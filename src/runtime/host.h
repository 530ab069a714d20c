// What this machine offers to run containers with, found once at start. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace sampan::runtime {

enum class CgroupMode { kV1, kHybrid, kV2 };  // hybrid: controllers on v1, a v2 tree without them beside

struct CgroupLayout {
  CgroupMode mode = CgroupMode::kV2;
  std::filesystem::path unified;                             // the v2 tree; empty on plain v1
  std::map<std::string, std::filesystem::path> controllers;  // v1: "memory" -> /sys/fs/cgroup/memory
  bool limits_swap = false;  // the kernel counts swap, so a limit can include it
};

// From the text of /proc/self/mountinfo. Pure.
CgroupLayout parse_cgroup_mounts(std::string_view mountinfo);

struct Host {
  CgroupLayout cgroups;
  std::string runtime_name;       // "runc", "crun", "runsc"
  std::filesystem::path runtime;  // absolute
  std::filesystem::path conmon;   // absolute
  std::uint64_t open_files =
      65535;  // the limit that containers get by default: Fargate's, or what we may give
  std::filesystem::path init_program;  // a static init for init_process (catatonit, tini); may be empty
};

// `runtime` is "auto" or a name. auto takes the first of crun, runc that really runs a container here
// (crun 1.8 refuses some mixtures of cgroup v1 and v2), tried with a program of the host in an empty root;
// the answer is kept in `cache_file` for as long as the programs do not change. Throws core::Error: one line
// that names what is missing and how to mend it ("conmon is not installed: apt-get install conmon").
Host probe_host(std::string_view runtime, const std::filesystem::path& cache_file);

}  // namespace sampan::runtime
