// The steps that change the machine for a task: its sandbox, its containers' roots and processes, and their
// undoing. Every step may be repeated, and may find what an earlier life left half-done. Blocking; safe for
// different tasks at once. Decides nothing: the driver does.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/image_config.h"
#include "node/network.h"
#include "node/record.h"
#include "runtime/cgroup.h"
#include "runtime/container.h"

namespace sampan::node {

struct LauncherOptions {
  std::filesystem::path containers;  // <data-dir>/containers
  std::string instance;
  UserNamespaces user_namespaces = UserNamespaces::kFargate;
  bool credentials = false;  // the endpoint can give a task role's
};

struct LaunchTimes {
  std::chrono::microseconds mount{0};
  std::chrono::microseconds create{0};
  std::chrono::microseconds start{0};
};

class Launcher {
 public:
  Launcher(runtime::Runtime& runtime, const runtime::Cgroups& cgroups, Network& network,
           LauncherOptions options);

  std::filesystem::path task_folder(const std::string& task_id) const;
  runtime::ContainerRef ref(const Intent& intent, std::size_t container) const;
  std::filesystem::path log_file(const Intent& intent, std::size_t container) const;
  std::string cgroup(const std::string& task_id) const;
  std::string cgroup(const Intent& intent, std::size_t container) const;
  bool uses_user_namespace(const TaskAssignment& task) const;

  NetworkRequest network_request(const TaskAssignment& task) const;
  // Folders, control group, namespaces, network. Stores the sandbox, so that the next life finds it.
  Sandbox prepare(const Intent& intent);
  std::optional<Sandbox> stored_sandbox(const std::string& task_id) const;
  // `layers` bottom first. Throws core::Error whose text begins with AWS's name of the error.
  LaunchTimes launch(const Intent& intent, std::size_t container, const Sandbox& sandbox,
                     const image::ImageConfig& image, const std::vector<std::filesystem::path>& layers);
  // The container's processes, runtime state and mounts go; log and exit status stay.
  void clear(const Intent& intent, std::size_t container);
  // After every container is clear: network, namespaces, control group, what containers wrote. Logs stay.
  void release(const Intent& intent);
  void discard_files(const Intent& intent);
  // The whole folder.
  void erase(const std::string& task_id);

 private:
  void mount_root(const std::filesystem::path& folder, const Sandbox& sandbox,
                  const std::vector<std::filesystem::path>& layers) const;
  void write_etc(const Intent& intent, std::size_t container, const Sandbox& sandbox,
                 const std::string& hostname) const;
  std::map<std::string, std::filesystem::path> make_volumes(const TaskAssignment& task,
                                                            const Sandbox& sandbox) const;

  runtime::Runtime& runtime_;
  const runtime::Cgroups& cgroups_;
  Network& network_;
  const LauncherOptions options_;
};

}  // namespace sampan::node
