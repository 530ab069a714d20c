// A container's assignment and its image, merged into what the runtime is to run. Pure.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "image/image_config.h"
#include "node/link.h"
#include "node/network.h"
#include "runtime/spec.h"

namespace sampan::node {

struct SpecInput {
  const TaskAssignment& task;
  const ContainerAssignment& container;
  const image::ImageConfig& image;
  const Sandbox& sandbox;
  std::string runtime_id;
  std::string hostname;
  std::filesystem::path folder;  // of the container: rootfs/ and the files for /etc lie in it
  std::string cgroup;            // of the task
  std::map<std::string, std::filesystem::path> volumes;       // name -> on the host
  std::vector<std::pair<std::string, std::string>> injected;  // environment of ECS
};

// Throws core::Error for what cannot be: no command, a volume that is not there.
runtime::ContainerSpec make_container_spec(const SpecInput& input);

// Docker's rule: an entry point of one's own makes the image's command void.
std::vector<std::string> resolve_command(const ContainerAssignment& container,
                                         const image::ImageConfig& image);
// The image's variables, ECS's, then the container's own; later ones win, first places are kept.
std::vector<std::string> merge_environment(const image::ImageConfig& image,
                                           const std::vector<std::pair<std::string, std::string>>& injected,
                                           const ContainerAssignment& container, const std::string& hostname);
// "SIGTERM", "TERM", "15", "SIGRTMIN+3"; SIGTERM for anything else.
int parse_signal(std::string_view text);
// Mounts of a container, those of `volumesFrom` containers first.
std::vector<MountPoint> mounts_of(const TaskAssignment& task, const ContainerAssignment& container);
// A CMD or CMD-SHELL health check as arguments; empty when it is neither.
std::vector<std::string> health_command(const HealthCheck& check);

}  // namespace sampan::node
