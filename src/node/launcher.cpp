#include "node/launcher.h"

#include <unistd.h>

#include "core/error.h"
#include "io/file.h"
#include "node/container_spec.h"
#include "node/etc_files.h"
#include "node/metadata.h"
#include "node/mounts.h"
#include "runtime/overlay.h"

namespace sampan::node {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

constexpr std::int64_t kMib = 1024 * 1024;
// A container's root, seen from inside its user namespace, is a stranger on the way to its own root file
// system: he may pass through our folders, not list them.
constexpr unsigned kPassable = 0711;

std::chrono::microseconds lap(Steady::time_point& since) {
  auto now = Steady::now();
  auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - since);
  since = now;
  return passed;
}

void give_to(const fs::path& path, const Sandbox& sandbox) {
  if (!sandbox.ids) return;
  if (lchown(path.c_str(), sandbox.ids->base, sandbox.ids->base) != 0) {
    throw core::errno_error(fmt::format("give {} to the task's root", path.string()));
  }
}

// What failed, under the name AWS gives to the step.
template <class F>
void step(std::string_view aws_name, F work) {
  try {
    work();
  } catch (const core::Error& error) {
    throw core::Error(fmt::format("{}: {}", aws_name, error.what()));
  }
}

}  // namespace

Launcher::Launcher(runtime::Runtime& runtime, const runtime::Cgroups& cgroups, Network& network,
                   LauncherOptions options)
    : runtime_(runtime), cgroups_(cgroups), network_(network), options_(std::move(options)) {}

fs::path Launcher::task_folder(const std::string& task_id) const {
  return options_.containers / task_id;
}

runtime::ContainerRef Launcher::ref(const Intent& intent, std::size_t container) const {
  const auto& task = intent.assignment;
  return {intent.runtime_ids[container], task_folder(task.task_id) / task.containers[container].name};
}

fs::path Launcher::log_file(const Intent& intent, std::size_t container) const {
  return ref(intent, container).folder / "ctr.log";
}

std::string Launcher::cgroup(const std::string& task_id) const {
  return "/sampan-" + options_.instance + "/" + task_id;
}

std::string Launcher::cgroup(const Intent& intent, std::size_t container) const {
  return cgroup(intent.assignment.task_id) + "/" + intent.assignment.containers[container].name;
}

bool Launcher::uses_user_namespace(const TaskAssignment& task) const {
  return options_.user_namespaces == UserNamespaces::kFargate && task.launch_type == "FARGATE";
}

NetworkRequest Launcher::network_request(const TaskAssignment& task) const {
  NetworkRequest request;
  request.task_id = task.task_id;
  request.network = task.network;
  for (const auto& container : task.containers) {
    request.ports.insert(request.ports.end(), container.ports.begin(), container.ports.end());
  }
  request.user_namespace = uses_user_namespace(task);
  return request;
}

Sandbox Launcher::prepare(const Intent& intent) {
  const auto& task = intent.assignment;
  runtime::Resources limits;
  limits.cpu_quota_units = task.cpu_units;
  limits.memory_bytes = task.memory_mib * kMib;
  cgroups_.create(cgroup(task.task_id), limits);
  auto sandbox = network_.attach(network_request(task));
  io::replace_file(task_folder(task.task_id) / "sandbox.json", render_sandbox(sandbox),
                   io::Durability::kProcessCrash, 0600);
  return sandbox;
}

std::optional<Sandbox> Launcher::stored_sandbox(const std::string& task_id) const {
  auto text = io::read_file_if_exists(task_folder(task_id) / "sandbox.json");
  if (!text) return std::nullopt;
  return parse_sandbox(*text);
}

void Launcher::mount_root(const fs::path& folder, const Sandbox& sandbox,
                          const std::vector<fs::path>& layers) const {
  runtime::OverlaySpec overlay;
  overlay.lowers.assign(layers.rbegin(), layers.rend());
  overlay.upper = folder / "upper";
  overlay.work = folder / "work";
  overlay.target = folder / "rootfs";
  if (sandbox.ids) {
    overlay.user_namespace = sandbox.user_namespace;
    overlay.owner_uid = sandbox.ids->base;
    overlay.owner_gid = sandbox.ids->base;
  }
  overlay.skip_sync = true;  // what a container wrote into its root does not outlive a power failure anyway
  runtime::mount_overlay(overlay);
}

void Launcher::write_etc(const Intent& intent, std::size_t container, const Sandbox& sandbox,
                         const std::string& hostname) const {
  const auto folder = ref(intent, container).folder;
  const auto& extra = intent.assignment.containers[container].extra_hosts;
  auto write = [&](const char* name, const std::string& text) {
    io::replace_file(folder / name, text, io::Durability::kProcessCrash, 0644);
    give_to(folder / name, sandbox);
  };
  write("resolv.conf", render_resolv_conf(read_host_resolv_conf()));
  write("hosts", render_hosts(hostname, sandbox.address, extra));
  if (!hostname.empty()) write("hostname", hostname + "\n");
}

std::map<std::string, fs::path> Launcher::make_volumes(const TaskAssignment& task,
                                                       const Sandbox& sandbox) const {
  std::map<std::string, fs::path> volumes;
  for (const auto& volume : task.volumes) {
    if (!volume.host_path.empty()) {
      if (!fs::exists(volume.host_path)) io::make_directories(volume.host_path);
      volumes[volume.name] = volume.host_path;
      continue;
    }
    auto path = task_folder(task.task_id) / ".volumes" / volume.name;
    if (!fs::exists(path)) {
      io::make_directories(path.parent_path(), kPassable);
      io::make_directories(path, 0755);
      give_to(path, sandbox);
    }
    volumes[volume.name] = path;
  }
  return volumes;
}

LaunchTimes Launcher::launch(const Intent& intent, std::size_t container, const Sandbox& sandbox,
                             const image::ImageConfig& image, const std::vector<fs::path>& layers) {
  const auto& task = intent.assignment;
  const auto target = ref(intent, container);
  const auto hostname = hostname_of(task, task.containers[container], target.id);
  LaunchTimes times;
  auto clock = Steady::now();
  std::optional<runtime::ContainerSpec> spec;
  step("CannotCreateContainerError", [&] {
    io::make_directories(target.folder, kPassable);
    mount_root(target.folder, sandbox, layers);
    write_etc(intent, container, sandbox, hostname);
    SpecInput input{
        task, task.containers[container], image, sandbox, target.id, hostname, target.folder, {}, {}, {}};
    input.cgroup = cgroup(task.task_id);
    input.volumes = make_volumes(task, sandbox);
    input.injected = injected_environment(intent, container, options_.credentials);
    spec = make_container_spec(input);
  });
  times.mount = lap(clock);
  step("CannotStartContainerError", [&] {
    runtime_.create(*spec, target.folder);
    times.create = lap(clock);
    runtime_.start(target);
    times.start = lap(clock);
  });
  return times;
}

void Launcher::clear(const Intent& intent, std::size_t container) {
  const auto target = ref(intent, container);
  if (!fs::exists(target.folder)) return;
  runtime_.remove(target);
  runtime::unmount(target.folder / "rootfs");
  // It carries the mark of a volatile overlay, with which the kernel refuses to mount it again: a container
  // whose start was cut short begins anew.
  fs::remove_all(target.folder / "work");
}

void Launcher::release(const Intent& intent) {
  const auto& id = intent.assignment.task_id;
  network_.detach(id);
  cgroups_.remove(cgroup(id));
  fs::remove(task_folder(id) / "sandbox.json");
}

void Launcher::discard_files(const Intent& intent) {
  for (std::size_t i = 0; i < intent.runtime_ids.size(); ++i) {
    auto folder = ref(intent, i).folder;
    // Never through a mount that is still there.
    if (runtime::is_mount_point(folder / "rootfs")) continue;
    for (const char* name : {"upper", "work", "rootfs"}) fs::remove_all(folder / name);
  }
  fs::remove_all(task_folder(intent.assignment.task_id) / ".volumes");
}

void Launcher::erase(const std::string& task_id) {
  unmount_below(task_folder(task_id));  // never delete through a mount
  fs::remove_all(task_folder(task_id));
}

}  // namespace sampan::node
