#include "node/container_spec.h"

#include <csignal>

#include "core/error.h"
#include "core/text.h"

namespace sampan::node {
namespace {

constexpr std::int64_t kMib = 1024 * 1024;
constexpr std::int64_t kPidsLimit =
    4096;  // of a container: a fork bomb ends here, not at the machine's limit

const std::map<std::string, int, std::less<>>& signal_numbers() {
  static const std::map<std::string, int, std::less<>> numbers = {
      {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ABRT", SIGABRT}, {"KILL", SIGKILL},
      {"USR1", SIGUSR1}, {"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM},
      {"CHLD", SIGCHLD}, {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
      {"TTOU", SIGTTOU}, {"WINCH", SIGWINCH},   {"POLL", SIGPOLL}, {"PWR", SIGPWR},   {"SYS", SIGSYS},
      {"TRAP", SIGTRAP}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"URG", SIGURG},   {"XCPU", SIGXCPU}};
  return numbers;
}

const ContainerAssignment* find(const TaskAssignment& task, const std::string& name) {
  for (const auto& container : task.containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

void collect_mounts(const TaskAssignment& task, const ContainerAssignment& container, bool read_only,
                    int depth, std::vector<MountPoint>& mounts) {
  if (depth > 16) return;  // containers that name each other
  for (const auto& [name, from_read_only] : container.volumes_from) {
    if (const auto* from = find(task, name)) {
      collect_mounts(task, *from, read_only || from_read_only, depth + 1, mounts);
    }
  }
  for (auto mount : container.mounts) {
    mount.read_only = mount.read_only || read_only;
    std::erase_if(mounts,
                  [&](const MountPoint& other) { return other.container_path == mount.container_path; });
    mounts.push_back(std::move(mount));
  }
}

runtime::ProcessSpec make_process(const SpecInput& input) {
  const auto& container = input.container;
  runtime::ProcessSpec process;
  process.args = resolve_command(container, input.image);
  if (process.args.empty()) throw core::Error("no command specified");
  process.env = merge_environment(input.image, input.injected, container, input.hostname);
  process.cwd = container.working_directory.empty() ? input.image.working_dir : container.working_directory;
  if (process.cwd.empty()) process.cwd = "/";
  process.user = container.user.empty() ? input.image.user : container.user;
  process.terminal = container.pseudo_terminal;
  // Set-user-id programs of an image run, but raise nobody; as a privileged container they do.
  process.no_new_privileges = !container.privileged;
  process.capabilities_add = container.capabilities_add;
  process.capabilities_drop = container.capabilities_drop;
  for (const auto& limit : container.ulimits) {
    auto value = [](std::int64_t v) { return v < 0 ? UINT64_MAX : static_cast<std::uint64_t>(v); };
    process.rlimits.push_back({limit.name, value(limit.soft), value(limit.hard)});
  }
  return process;
}

std::vector<runtime::Mount> make_mounts(const SpecInput& input) {
  std::vector<runtime::Mount> mounts;
  auto add_file = [&](const char* name, const char* target) {
    mounts.push_back({(input.folder / name).string(), target, "bind", {"rw"}});
  };
  add_file("resolv.conf", "/etc/resolv.conf");
  add_file("hosts", "/etc/hosts");
  if (!input.hostname.empty()) add_file("hostname", "/etc/hostname");
  for (const auto& mount : mounts_of(input.task, input.container)) {
    auto volume = input.volumes.find(mount.volume);
    if (volume == input.volumes.end()) {
      throw core::Error(fmt::format("mount volume {}", mount.volume), "the task has no volume of that name");
    }
    mounts.push_back(
        {volume->second.string(), mount.container_path, "bind", {mount.read_only ? "ro" : "rw"}});
  }
  return mounts;
}

}  // namespace

runtime::ContainerSpec make_container_spec(const SpecInput& input) {
  const auto& container = input.container;
  runtime::ContainerSpec spec;
  spec.id = input.runtime_id;
  spec.rootfs = input.folder / "rootfs";
  spec.read_only_root = container.read_only_root;
  spec.process = make_process(input);
  spec.mounts = make_mounts(input);
  spec.hostname = input.hostname;
  spec.network_namespace = input.sandbox.network_namespace;
  if (input.sandbox.ids) {
    spec.user_namespace = runtime::UserNamespace{input.sandbox.user_namespace, input.sandbox.ids->base,
                                                 input.sandbox.ids->size};
  }
  spec.cgroup_path = input.cgroup + "/" + container.name;
  spec.resources.cpu_shares = container.cpu_units;
  spec.resources.memory_bytes = container.memory_mib.value_or(0) * kMib;
  spec.resources.memory_reservation_bytes = container.memory_reservation_mib.value_or(0) * kMib;
  spec.resources.pids = kPidsLimit;
  spec.sysctls = container.sysctls;
  spec.privileged = container.privileged;
  spec.init_process = container.init_process;
  spec.keep_stdin_open = container.interactive;
  return spec;
}

std::vector<std::string> resolve_command(const ContainerAssignment& container,
                                         const image::ImageConfig& image) {
  bool own_entry_point = container.entry_point && !container.entry_point->empty();
  bool own_command = container.command && !container.command->empty();
  auto args = own_entry_point ? *container.entry_point : image.entrypoint;
  if (own_command) {
    args.insert(args.end(), container.command->begin(), container.command->end());
  } else if (!own_entry_point) {
    args.insert(args.end(), image.cmd.begin(), image.cmd.end());
  }
  return args;
}

std::vector<std::string> merge_environment(const image::ImageConfig& image,
                                           const std::vector<std::pair<std::string, std::string>>& injected,
                                           const ContainerAssignment& container,
                                           const std::string& hostname) {
  std::vector<std::string> merged;
  std::map<std::string, std::size_t, std::less<>> places;
  auto put = [&](std::string_view name, std::string text) {
    auto [place, fresh] = places.try_emplace(std::string(name), merged.size());
    if (fresh) {
      merged.push_back(std::move(text));
    } else {
      merged[place->second] = std::move(text);
    }
  };
  for (const auto& entry : image.env) put(std::string_view(entry).substr(0, entry.find('=')), entry);
  if (!hostname.empty()) put("HOSTNAME", "HOSTNAME=" + hostname);
  for (const auto& [name, value] : injected) put(name, name + "=" + value);
  for (const auto& [name, value] : container.environment) put(name, name + "=" + value);
  return merged;
}

int parse_signal(std::string_view text) {
  if (text.empty()) return SIGTERM;
  if (auto number = core::parse_int(text))
    return *number > 0 && *number <= 64 ? static_cast<int>(*number) : SIGTERM;
  if (text.starts_with("SIG")) text.remove_prefix(3);
  if (text.starts_with("RTMIN+")) {
    auto above = core::parse_int(text.substr(6)).value_or(-1);
    return above >= 0 && above <= 30 ? 34 + static_cast<int>(above) : SIGTERM;
  }
  auto found = signal_numbers().find(text);
  return found == signal_numbers().end() ? SIGTERM : found->second;
}

std::vector<MountPoint> mounts_of(const TaskAssignment& task, const ContainerAssignment& container) {
  std::vector<MountPoint> mounts;
  collect_mounts(task, container, false, 0, mounts);
  return mounts;
}

std::vector<std::string> health_command(const HealthCheck& check) {
  if (check.command.size() < 2) return {};
  if (check.command[0] == "CMD") return {check.command.begin() + 1, check.command.end()};
  if (check.command[0] == "CMD-SHELL") return {"/bin/sh", "-c", check.command[1]};
  return {};
}

}  // namespace sampan::node
