// What a container is to be, as values. No file is read and nothing is started here: bundle.h renders a
// ContainerSpec as an OCI config.json, container.h and foreground.h run it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sampan::runtime {

// A bind mount unless `type` says otherwise ("tmpfs", "proc" …). Later mounts lie over earlier ones.
struct Mount {
  std::string source;  // on the host, absolute; for a tmpfs any word
  std::string target;  // in the container, absolute; made in the root file system when absent
  std::string type = "bind";
  std::vector<std::string> options;  // added to "rbind"/"rprivate" of a bind mount; "ro" for read-only
};

struct Rlimit {
  std::string name;  // as in ulimits: "nofile"; also "RLIMIT_NOFILE"
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

struct ProcessSpec {
  std::vector<std::string> args;  // entry point and command, joined
  std::vector<std::string> env;   // "K=V"; PATH and HOME are added when absent
  std::string cwd = "/";
  std::string user;  // "", "uid", "uid:gid", "name", "name:group": looked up in the container's own files
  std::vector<std::string> additional_groups;  // numbers or names
  bool terminal = false;
  bool no_new_privileges = true;
  std::vector<std::string> capabilities_add;   // "NET_ADMIN" or "CAP_NET_ADMIN"; "ALL"
  std::vector<std::string> capabilities_drop;  // the same; drop is applied first, then add
  std::vector<Rlimit> rlimits;
};

// Limits; absent or 0 means none. The unit of CPU is ECS's: 1024 to a virtual CPU.
struct Resources {
  std::int64_t cpu_shares = 0;       // relative weight, ECS "cpu" of a container (at least 2 is used)
  std::int64_t cpu_quota_units = 0;  // hard cap: 256 is a quarter of a CPU
  std::int64_t memory_bytes = 0;     // hard limit, swap included
  std::int64_t memory_reservation_bytes = 0;
  std::int64_t pids = 0;
  bool operator==(const Resources&) const = default;
};

// A user namespace that exists already (userns.h): container ids 0…size-1 are host ids base…base+size-1.
struct UserNamespace {
  std::filesystem::path path;
  std::uint32_t host_base = 0;
  std::uint32_t size = 65536;
};

enum class Seccomp { kDefault, kOff };

struct ContainerSpec {
  std::string id;  // [A-Za-z0-9_.-]{1,128}; unique in one runtime root
  // Mounted already (overlay.h), absolute. With a user namespace every folder above must be searchable (0711)
  // by its root: the runtime walks there as that user.
  std::filesystem::path rootfs;
  bool read_only_root = false;
  ProcessSpec process;
  std::vector<Mount> mounts;  // beside /proc, /dev, /sys, which are always there
  std::string hostname;       // empty: the host's UTS namespace is kept (host network, builds)
  // Path of the network namespace; empty: the host's network.
  std::filesystem::path network_namespace;
  // Namespaces of another container of the task, by path; empty: one of its own.
  std::filesystem::path pid_namespace;
  std::filesystem::path ipc_namespace;
  std::optional<UserNamespace> user_namespace;
  std::string cgroup_path;  // "/sampan-<instance>/<task>/<container>"; made by the runtime
  Resources resources;
  std::int64_t shm_bytes = 64 * 1024 * 1024;
  std::map<std::string, std::string> sysctls;
  Seccomp seccomp = Seccomp::kDefault;
  bool privileged = false;    // all capabilities and devices, nothing masked, no seccomp
  bool init_process = false;  // a small init is process 1 and reaps (needs Host::init_program)
  bool keep_stdin_open = false;
  std::map<std::string, std::string> annotations;
};

// How a container's first process ended.
struct ExitStatus {
  int code = 0;  // 128+n when signal n ended it
  // The kernel killed a process of it for want of memory *and* it ended with 137: only then is it an
  // OutOfMemoryError (a killed child leaves the mark as well, while the container ends by its own code).
  bool out_of_memory = false;
  std::chrono::sys_time<std::chrono::milliseconds> finished_at;
};

}  // namespace sampan::runtime
