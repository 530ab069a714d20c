// Rules of one container and of volumes in a task definition.
#include <algorithm>
#include <set>

#include "ecs/definition_rules.h"
#include "ecs/faults.h"
#include "ecs/names.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerDefinition;
using api::ecs::TaskDefinition;

constexpr std::size_t kMaxContainers = 10;
constexpr std::size_t kMaxImage = 255;
constexpr int kLeastContainerMemory = 6;
constexpr int kMostStopTimeout = 120;  // Fargate; EC2 has no limit but we keep one against nonsense
constexpr std::size_t kMaxEnvironmentFiles = 10;
constexpr std::size_t kMaxIgnoredExitCodes = 50;

void check_names(const ContainerDefinition& container, std::set<std::string>& names) {
  if (!container.name || container.name->empty()) client_fault("Container.name should not be null or empty.");
  if (!valid_name(*container.name)) {
    client_fault(
        "Container.name contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, "
        "hyphens, and underscores are allowed.");
  }
  if (!names.insert(*container.name).second) {
    client_fault("Container.name must be unique within a task definition: '{}'.", *container.name);
  }
  if (!container.image || container.image->empty())
    client_fault("Container.image should not be null or empty.");
  if (container.image->size() > kMaxImage ||
      std::any_of(container.image->begin(), container.image->end(),
                  [](unsigned char c) { return c <= ' ' || c >= 0x7f; })) {
    client_fault("Container.image contains invalid characters.");
  }
}

void check_memory(const ContainerDefinition& container, const TaskDefinition& definition) {
  const auto& name = *container.name;
  if (container.cpu.value_or(0) < 0) client_fault("Invalid 'cpu' setting for container '{}'.", name);
  for (auto memory : {container.memory, container.memoryReservation}) {
    if (memory && *memory < kLeastContainerMemory) {
      client_fault("Invalid setting for container '{}'. The minimum memory is {} MiB.", name,
                   kLeastContainerMemory);
    }
  }
  if (!container.memory && !container.memoryReservation && !definition.memory) {
    client_fault(
        "Invalid setting for container '{}'. At least one of 'memory' or 'memoryReservation' must be "
        "specified.",
        name);
  }
  if (container.memory && container.memoryReservation && *container.memory <= *container.memoryReservation) {
    client_fault(
        "Invalid setting for container '{}'. The 'memory' value must be greater than the 'memoryReservation' "
        "value.",
        name);
  }
  if (container.memory && definition.memory && *container.memory > std::stoi(*definition.memory)) {
    client_fault(
        "Invalid setting for container '{}'. The 'memory' value cannot be greater than the value of the task "
        "'memory'.",
        name);
  }
}

void check_between(std::optional<int> value, int least, int most, std::string_view what,
                   std::string_view name) {
  if (value && (*value < least || *value > most)) {
    client_fault("Invalid '{}' setting for container '{}'. The value must be between {} and {}.", what, name,
                 least, most);
  }
}

void check_health(const ContainerDefinition& container) {
  if (!container.healthCheck) return;
  const auto& check = *container.healthCheck;
  const auto& name = *container.name;
  if (check.command.size() < 2 || (check.command[0] != "CMD" && check.command[0] != "CMD-SHELL")) {
    if (check.command == std::vector<std::string>{"NONE"}) return;
    client_fault(
        "Invalid 'healthCheck.command' setting for container '{}'. It must begin with CMD or CMD-SHELL.",
        name);
  }
  check_between(check.interval, 5, 300, "healthCheck.interval", name);
  check_between(check.timeout, 2, 60, "healthCheck.timeout", name);
  check_between(check.retries, 1, 10, "healthCheck.retries", name);
  check_between(check.startPeriod, 0, 300, "healthCheck.startPeriod", name);
}

void check_log(const ContainerDefinition& container) {
  if (!container.logConfiguration || container.logConfiguration->logDriver != "awslogs") return;
  std::string missing;
  for (const char* option : {"awslogs-region", "awslogs-group"}) {
    const auto& options = container.logConfiguration->options;
    if (options && options->contains(option)) continue;
    missing += missing.empty() ? "" : ", ";
    missing += option;
  }
  if (!missing.empty()) client_fault("Log driver awslogs requires options: {}", missing);
}

void check_secrets(const ContainerDefinition& container, const TaskDefinition& definition) {
  if (!list_or_empty(container.secrets).empty() && !definition.executionRoleArn) {
    client_fault(
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.");
  }
  if (list_or_empty(container.environmentFiles).size() > kMaxEnvironmentFiles) {
    client_fault("Container '{}' has more than {} environmentFiles.", *container.name, kMaxEnvironmentFiles);
  }
}

void check_environment(const ContainerDefinition& container) {
  for (const auto& pair : list_or_empty(container.environment)) {
    if (!pair.name || pair.name->empty() || pair.name->find('=') != std::string::npos ||
        pair.name->find('\0') != std::string::npos ||
        pair.value.value_or("").find('\0') != std::string::npos) {
      client_fault("Container '{}' has an invalid environment variable name or value.", *container.name);
    }
  }
}

void check_restart(const ContainerDefinition& container) {
  if (!container.restartPolicy) return;
  if (list_or_empty(container.restartPolicy->ignoredExitCodes).size() > kMaxIgnoredExitCodes) {
    client_fault("Container '{}' has more than {} ignoredExitCodes.", *container.name, kMaxIgnoredExitCodes);
  }
  check_between(container.restartPolicy->restartAttemptPeriod, 60, 1800, "restartPolicy.restartAttemptPeriod",
                *container.name);
}

void check_limits(const ContainerDefinition& container) {
  check_between(container.startTimeout, 2, kMostStopTimeout, "startTimeout", *container.name);
  check_between(container.stopTimeout, 0, kMostStopTimeout, "stopTimeout", *container.name);
  for (const auto& limit : list_or_empty(container.ulimits)) {
    if (limit.softLimit > limit.hardLimit && limit.hardLimit != -1) {
      client_fault(
          "Invalid 'ulimits' setting for container '{}': the soft limit of {} is above its hard limit.",
          *container.name, limit.name);
    }
  }
}

int kinds_of(const api::ecs::Volume& volume) {
  return int(volume.host.has_value()) + int(volume.dockerVolumeConfiguration.has_value()) +
         int(volume.efsVolumeConfiguration.has_value()) + int(volume.s3filesVolumeConfiguration.has_value()) +
         int(volume.fsxWindowsFileServerVolumeConfiguration.has_value()) +
         int(volume.configuredAtLaunch.value_or(false));
}

}  // namespace

void check_containers(const TaskDefinition& definition) {
  const auto& containers = list_or_empty(definition.containerDefinitions);
  if (containers.empty()) client_fault("Container list cannot be empty.");
  if (containers.size() > kMaxContainers) {
    client_fault("Container list cannot have more than {} containers.", kMaxContainers);
  }
  std::set<std::string> names;
  for (const auto& container : containers) {
    check_names(container, names);
    check_memory(container, definition);
    check_health(container);
    check_log(container);
    check_secrets(container, definition);
    check_environment(container);
    check_restart(container);
    check_limits(container);
  }
  if (std::none_of(containers.begin(), containers.end(),
                   [](const auto& container) { return container.essential.value_or(true); })) {
    client_fault("At least one container must be essential.");
  }
}

void check_volumes(const TaskDefinition& definition) {
  std::set<std::string> volumes;
  for (const auto& volume : list_or_empty(definition.volumes)) {
    if (!volume.name || !valid_name(*volume.name)) client_fault("Volume.name should not be null or empty.");
    if (!volumes.insert(*volume.name).second)
      client_fault("Volume names must be unique: '{}'.", *volume.name);
    if (kinds_of(volume) > 1) client_fault("Volume '{}' has more than one configuration.", *volume.name);
  }
  std::set<std::string> names;
  for (const auto& container : *definition.containerDefinitions) names.insert(*container.name);
  for (const auto& container : *definition.containerDefinitions) {
    for (const auto& mount : list_or_empty(container.mountPoints)) {
      if (!mount.sourceVolume || !volumes.contains(*mount.sourceVolume)) {
        client_fault("Unknown volume '{}'.", mount.sourceVolume.value_or(""));
      }
      if (!mount.containerPath || !mount.containerPath->starts_with("/")) {
        client_fault("MountPoint.containerPath of container '{}' must be an absolute path.", *container.name);
      }
    }
    for (const auto& from : list_or_empty(container.volumesFrom)) {
      if (!from.sourceContainer || !names.contains(*from.sourceContainer) ||
          *from.sourceContainer == *container.name) {
        client_fault("Container '{}' has volumesFrom an unknown container '{}'.", *container.name,
                     from.sourceContainer.value_or(""));
      }
    }
  }
}

}  // namespace sampan::ecs
