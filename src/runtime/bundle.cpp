#include "runtime/bundle.h"

#include <boost/json/array.hpp>

#include "core/error.h"
#include "core/text.h"
#include "runtime/seccomp.h"

namespace sampan::runtime {
namespace {

namespace json = boost::json;

constexpr std::string_view kDefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view kInitTarget = "/dev/.init";  // /dev is a tmpfs: nothing is left in the image
constexpr std::int64_t kCpuPeriod = 100000;             // microseconds
constexpr std::int64_t kUnitsPerCpu = 1024;

constexpr const char* kMaskedPaths[] = {"/proc/acpi",
                                        "/proc/asound",
                                        "/proc/interrupts",
                                        "/proc/kcore",
                                        "/proc/keys",
                                        "/proc/latency_stats",
                                        "/proc/sched_debug",
                                        "/proc/scsi",
                                        "/proc/timer_list",
                                        "/proc/timer_stats",
                                        "/sys/devices/virtual/powercap",
                                        "/sys/firmware"};
constexpr const char* kReadOnlyPaths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                          "/proc/sysrq-trigger"};

json::array strings(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

json::object mount(std::string_view target, std::string_view type, std::string_view source,
                   std::initializer_list<std::string_view> options) {
  json::array list;
  for (const std::string_view option : options) list.emplace_back(option);
  return {{"destination", target}, {"type", type}, {"source", source}, {"options", std::move(list)}};
}

bool has_own_network(const ContainerSpec& spec) {
  return !spec.network_namespace.empty();
}

json::object sys_mount(const ContainerSpec& spec) {
  // sysfs shows a network namespace and is only mounted by that namespace's owner: with the host's network, a
  // user namespace has to see the host's /sys.
  if (spec.user_namespace && !has_own_network(spec)) {
    return mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
  }
  if (spec.privileged) return mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev"});
  return mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
}

json::object user_mount(const Mount& wanted) {
  if (!wanted.target.starts_with('/')) throw core::Error("mount at " + wanted.target, "the path is relative");
  json::array options;
  if (wanted.type == "bind") {
    if (!wanted.source.starts_with('/')) throw core::Error("mount " + wanted.source, "the path is relative");
    options = {"rbind", "rprivate"};
  }
  for (const std::string& option : wanted.options) options.emplace_back(option);
  return {{"destination", wanted.target},
          {"type", wanted.type},
          {"source", wanted.source},
          {"options", std::move(options)}};
}

json::array render_mounts(const ContainerSpec& spec, const Host& host) {
  const std::string shm_size = "size=" + std::to_string(spec.shm_bytes);
  json::array mounts;
  mounts.push_back(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  mounts.push_back(mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  mounts.push_back(mount("/dev/pts", "devpts", "devpts",
                         {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}));
  mounts.push_back(mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", shm_size}));
  mounts.push_back(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  mounts.push_back(sys_mount(spec));
  mounts.push_back(mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"}));
  for (const Mount& wanted : spec.mounts) mounts.push_back(user_mount(wanted));
  if (spec.init_process && !host.init_program.empty()) {
    mounts.push_back(mount(kInitTarget, "bind", host.init_program.string(), {"bind", "ro"}));
  }
  return mounts;
}

void add_namespace(json::array& list, std::string_view type, const std::filesystem::path& path = {}) {
  json::object entry{{"type", type}};
  if (!path.empty()) entry["path"] = path.string();
  list.push_back(std::move(entry));
}

json::array render_namespaces(const ContainerSpec& spec, const Host& host) {
  json::array list;
  add_namespace(list, "mount");
  add_namespace(list, "pid", spec.pid_namespace);
  add_namespace(list, "ipc", spec.ipc_namespace);
  if (!spec.hostname.empty()) add_namespace(list, "uts");
  if (has_own_network(spec)) add_namespace(list, "network", spec.network_namespace);
  if (spec.user_namespace) add_namespace(list, "user", spec.user_namespace->path);
  // On v1 the runtime binds the container's own group of each controller; a namespace would add nothing.
  if (host.cgroups.mode == CgroupMode::kV2) add_namespace(list, "cgroup");
  return list;
}

json::array device_rules(const ContainerSpec& spec) {
  json::array rules;
  if (spec.privileged) {
    rules.push_back(json::object{{"allow", true}, {"access", "rwm"}});
    return rules;
  }
  rules.push_back(json::object{{"allow", false}, {"access", "rwm"}});
  // The runtime adds null, zero, full, random, urandom, tty and the terminals by itself.
  return rules;
}

json::object render_memory(const Resources& limits, const CgroupLayout& cgroups) {
  json::object memory;
  if (limits.memory_bytes > 0) memory["limit"] = limits.memory_bytes;
  if (limits.memory_bytes > 0 && cgroups.limits_swap) memory["swap"] = limits.memory_bytes;
  if (limits.memory_reservation_bytes > 0) memory["reservation"] = limits.memory_reservation_bytes;
  return memory;
}

json::object render_resources(const ContainerSpec& spec, const Host& host) {
  const Resources& limits = spec.resources;
  json::object cpu;
  if (limits.cpu_shares > 0) cpu["shares"] = std::clamp<std::int64_t>(limits.cpu_shares, 2, 262144);
  if (limits.cpu_quota_units > 0) {
    cpu["quota"] = std::max<std::int64_t>(1000, limits.cpu_quota_units * kCpuPeriod / kUnitsPerCpu);
    cpu["period"] = kCpuPeriod;
  }
  json::object resources{{"devices", device_rules(spec)}};
  if (!cpu.empty()) resources["cpu"] = std::move(cpu);
  json::object memory = render_memory(limits, host.cgroups);
  if (!memory.empty()) resources["memory"] = std::move(memory);
  if (limits.pids > 0) resources["pids"] = json::object{{"limit", limits.pids}};
  return resources;
}

json::object render_sysctls(const ContainerSpec& spec) {
  json::object sysctls;
  if (has_own_network(spec)) {
    // A service may listen on port 80 and use ping without being root, as under Docker.
    sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
    sysctls["net.ipv4.ping_group_range"] = spec.user_namespace ? "0 65535" : "0 2147483647";
  }
  for (const auto& [name, value] : spec.sysctls) sysctls[name] = value;
  return sysctls;
}

json::array id_mapping(const UserNamespace& mapped) {
  return {json::object{{"containerID", 0}, {"hostID", mapped.host_base}, {"size", mapped.size}}};
}

json::object render_linux(const ContainerSpec& spec, const Host& host) {
  json::object linux_part;
  linux_part["namespaces"] = render_namespaces(spec, host);
  linux_part["resources"] = render_resources(spec, host);
  if (!spec.cgroup_path.empty()) linux_part["cgroupsPath"] = spec.cgroup_path;
  json::object sysctls = render_sysctls(spec);
  if (!sysctls.empty()) linux_part["sysctl"] = std::move(sysctls);
  if (spec.user_namespace) {
    // runc 1.1 wants the maps even where the namespace exists already.
    linux_part["uidMappings"] = id_mapping(*spec.user_namespace);
    linux_part["gidMappings"] = id_mapping(*spec.user_namespace);
  }
  if (spec.privileged) return linux_part;
  json::array masked;
  for (const char* path : kMaskedPaths) masked.emplace_back(path);
  linux_part["maskedPaths"] = std::move(masked);
  json::array read_only;
  for (const char* path : kReadOnlyPaths) read_only.emplace_back(path);
  linux_part["readonlyPaths"] = std::move(read_only);
  if (spec.seccomp == Seccomp::kDefault) {
    linux_part["seccomp"] =
        render_seccomp(effective_capabilities(spec.process.capabilities_add, spec.process.capabilities_drop));
  }
  return linux_part;
}

bool sets(const std::vector<std::string>& environment, std::string_view name) {
  return std::any_of(environment.begin(), environment.end(), [&](const std::string& entry) {
    return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
  });
}

json::array render_environment(const ProcessSpec& process, const ResolvedUser& user) {
  json::array environment;
  if (!sets(process.env, "PATH")) environment.emplace_back(kDefaultPath);
  if (!sets(process.env, "HOME")) environment.emplace_back("HOME=" + user.home);
  if (process.terminal && !sets(process.env, "TERM")) environment.emplace_back("TERM=xterm");
  for (const std::string& entry : process.env) environment.emplace_back(entry);
  return environment;
}

std::string limit_name(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "AS",   "CORE",   "CPU",   "DATA", "FSIZE",  "LOCKS",  "MEMLOCK",    "MSGQUEUE",
      "NICE", "NOFILE", "NPROC", "RSS",  "RTPRIO", "RTTIME", "SIGPENDING", "STACK"};
  std::string upper(name);
  for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
  if (upper.starts_with("RLIMIT_")) upper.erase(0, 7);
  if (std::find(std::begin(kNames), std::end(kNames), upper) == std::end(kNames)) {
    throw core::Error("unknown limit \"" + std::string(name) + "\"");
  }
  return "RLIMIT_" + upper;
}

json::array render_limits(const std::vector<Rlimit>& wanted, std::uint64_t open_files_limit) {
  json::array limits;
  bool open_files = false;
  for (const Rlimit& limit : wanted) {
    std::string name = limit_name(limit.name);
    open_files = open_files || name == "RLIMIT_NOFILE";
    limits.push_back(json::object{{"type", std::move(name)}, {"soft", limit.soft}, {"hard", limit.hard}});
  }
  if (!open_files) {
    limits.push_back(
        json::object{{"type", "RLIMIT_NOFILE"}, {"soft", open_files_limit}, {"hard", open_files_limit}});
  }
  return limits;
}

json::object render_capabilities(const ContainerSpec& base, const ProcessSpec& process) {
  const std::vector<std::string> all = {"ALL"};
  const auto names = base.privileged
                         ? effective_capabilities(all, {})
                         : effective_capabilities(process.capabilities_add, process.capabilities_drop);
  // Nothing inheritable (CVE-2022-24769), nothing ambient: a user other than root gets none by exec.
  return {{"bounding", strings(names)}, {"effective", strings(names)}, {"permitted", strings(names)}};
}

}  // namespace

json::object render_process(const ContainerSpec& base, const ProcessSpec& process, const ResolvedUser& user,
                            const Host& host) {
  if (process.args.empty() || process.args[0].empty()) throw core::Error("no command specified");
  json::object identity{{"uid", user.uid}, {"gid", user.gid}};
  json::array groups;
  for (const std::uint32_t gid : user.additional_gids) groups.push_back(gid);
  if (!groups.empty()) identity["additionalGids"] = std::move(groups);

  json::object rendered;
  rendered["terminal"] = process.terminal;
  rendered["user"] = std::move(identity);
  rendered["args"] = strings(process.args);
  rendered["env"] = render_environment(process, user);
  rendered["cwd"] = process.cwd.empty() ? "/" : process.cwd;
  rendered["capabilities"] = render_capabilities(base, process);
  rendered["rlimits"] = render_limits(process.rlimits, host.open_files);
  rendered["noNewPrivileges"] = process.no_new_privileges && !base.privileged;
  return rendered;
}

json::object render_config(const ContainerSpec& spec, const ResolvedUser& user, const Host& host) {
  if (!spec.rootfs.is_absolute())
    throw core::Error("root file system " + spec.rootfs.string(), "the path is relative");
  json::object process = render_process(spec, spec.process, user, host);
  if (spec.init_process && !host.init_program.empty()) {
    json::array args{kInitTarget, "--"};
    for (json::value& arg : process["args"].as_array()) args.push_back(std::move(arg));
    process["args"] = std::move(args);
  }
  json::object config;
  config["ociVersion"] = "1.0.2";
  config["process"] = std::move(process);
  config["root"] = json::object{{"path", spec.rootfs.string()}, {"readonly", spec.read_only_root}};
  if (!spec.hostname.empty()) config["hostname"] = spec.hostname;
  config["mounts"] = render_mounts(spec, host);
  config["linux"] = render_linux(spec, host);
  json::object annotations;
  for (const auto& [name, value] : spec.annotations) annotations[name] = value;
  if (!annotations.empty()) config["annotations"] = std::move(annotations);
  return config;
}

}  // namespace sampan::runtime
