#include "runtime/host.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "io/file.h"
#include "io/subprocess.h"
#include "runtime/bundle.h"
#include "runtime/foreground.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string program_or_throw(const std::string& name, std::string_view package) {
  const auto found = io::find_program(name);
  if (found) return *found;
  throw core::Error(name + " is not installed: apt-get install " + std::string(package));
}

bool limits_swap(const CgroupLayout& cgroups) {
  if (cgroups.mode == CgroupMode::kV2) return fs::exists("/proc/swaps");
  const auto memory = cgroups.controllers.find("memory");
  return memory != cgroups.controllers.end() && fs::exists(memory->second / "memory.memsw.limit_in_bytes");
}

fs::path find_init() {
  for (const char* name : {"catatonit", "tini-static", "docker-init"}) {
    if (const auto found = io::find_program(name)) return *found;
  }
  return {};
}

// A daemon without CAP_SYS_RESOURCE (in a container, a sandbox) cannot give more than it has.
std::uint64_t open_files() {
  constexpr std::uint64_t kFargate = 65535;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kFargate;
  const rlimit more{limit.rlim_cur, limit.rlim_max + 1};
  const bool may_raise = limit.rlim_max < kFargate && ::setrlimit(RLIMIT_NOFILE, &more) == 0;
  if (may_raise) ::setrlimit(RLIMIT_NOFILE, &limit);
  return may_raise ? kFargate : std::min<std::uint64_t>(kFargate, limit.rlim_max);
}

// What the answer depends on: another kernel, another build of the program, another boot's cgroup mounts.
std::string fingerprint(const fs::path& program, const CgroupLayout& cgroups) {
  utsname name{};
  ::uname(&name);
  struct stat status{};
  ::stat(program.c_str(), &status);
  std::string text = fmt::format("{} {} {} {} {}", program.string(), name.release, status.st_size,
                                 status.st_mtim.tv_sec, cgroups.unified.string());
  for (const auto& [controller, path] : cgroups.controllers) text += " " + controller;
  return text;
}

// An empty root with the host's programs bound in, read-only: nothing needs to be unpacked to try.
ContainerSpec trial(const fs::path& root) {
  ContainerSpec spec;
  spec.id = fmt::format("sampan-probe-{}", ::getpid());
  spec.rootfs = root;
  spec.process.args = {"/usr/bin/true"};
  spec.cgroup_path = "/" + spec.id;
  for (const char* directory : {"/usr", "/bin", "/lib", "/lib64"}) {
    if (fs::exists(directory)) spec.mounts.push_back({directory, directory, "bind", {"ro"}});
  }
  return spec;
}

// Empty when it works, else why not.
std::string try_runtime(const Host& host) {
  const io::TemporaryDirectory work;
  const fs::path root = work.path() / "root";
  io::make_directories(root);
  ForegroundOptions options;
  options.folder = work.path() / "bundle";
  options.runtime_root = work.path() / "state";
  options.timeout = std::chrono::seconds(20);
  try {
    const ForegroundResult result = run_foreground(host, trial(root), options);
    return result.exit_code == 0 ? "" : fmt::format("a trial container ended with {}", result.exit_code);
  } catch (const core::Error& error) {
    return error.what();
  }
}

std::string cached_or_tried(const Host& host, const fs::path& cache_file) {
  const std::string key = fingerprint(host.runtime, host.cgroups);
  std::string known;
  if (!cache_file.empty()) known = io::read_file_if_exists(cache_file).value_or("");
  for (const std::string& line : core::split(known, '\n')) {
    if (line.starts_with(key + "\t")) return line.substr(key.size() + 1);
  }
  const std::string verdict = core::replace_all(try_runtime(host), "\n", " ");
  if (!cache_file.empty() && known.size() < 64 * 1024) {
    io::replace_file(cache_file, known + key + "\t" + verdict + "\n", io::Durability::kProcessCrash);
  }
  return verdict;
}

void choose(Host& host, std::string_view wanted, const fs::path& cache_file) {
  std::vector<std::string> candidates = {std::string(wanted)};
  if (wanted == "auto") candidates = {"crun", "runc"};
  std::string failures;
  for (const std::string& name : candidates) {
    const auto program = io::find_program(name);
    if (!program) {
      failures += name + " is not installed; ";
      continue;
    }
    host.runtime_name = name;
    host.runtime = *program;
    const std::string verdict = cached_or_tried(host, cache_file);
    if (verdict.empty()) return;
    failures += fmt::format("{} does not run containers here ({}); ", name, verdict);
  }
  throw core::Error(failures + "apt-get install runc");
}

}  // namespace

Host probe_host(std::string_view runtime, const fs::path& cache_file) {
  if (::geteuid() != 0) throw core::Error("containers need root: start sampand as root (sudo)");
  if (runtime != "auto" && runtime != "crun" && runtime != "runc" && runtime != "runsc") {
    throw core::Error("unknown runtime \"" + std::string(runtime) + "\": use auto, crun, runc or runsc");
  }
  Host host;
  host.cgroups = parse_cgroup_mounts(io::read_file("/proc/self/mountinfo"));
  if (host.cgroups.controllers.empty() && host.cgroups.unified.empty()) {
    throw core::Error("no cgroup file system is mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
  }
  host.cgroups.limits_swap = limits_swap(host.cgroups);
  host.conmon = program_or_throw("conmon", "conmon");
  host.init_program = find_init();
  host.open_files = open_files();
  choose(host, runtime, cache_file);
  return host;
}

}  // namespace sampan::runtime
