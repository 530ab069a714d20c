// What Fargate refuses in a task definition.
#include <array>

#include "core/text.h"
#include "ecs/definition_rules.h"
#include "ecs/faults.h"
#include "ecs/sizes.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerDefinition;
using api::ecs::TaskDefinition;
using Problem = std::optional<std::string>;

Problem size_problem(const TaskDefinition& definition) {
  if (!definition.cpu) return "Fargate requires that 'cpu' be defined at the task level.";
  if (!definition.memory) return "Fargate requires that 'memory' be defined at the task level.";
  auto cpu = parse_cpu(*definition.cpu);
  auto memory = parse_memory(*definition.memory);
  if (!cpu || !memory || !is_fargate_size(*cpu, *memory))
    return "No Fargate configuration exists for given values.";
  return {};
}

Problem log_problem(const ContainerDefinition& container, const TaskDefinition& definition) {
  if (!container.logConfiguration) return {};
  const auto& log = *container.logConfiguration;
  if (log.logDriver != "awslogs" && log.logDriver != "splunk" && log.logDriver != "awsfirelens") {
    return fmt::format("Fargate does not support log driver {}. Supported: awslogs, splunk, awsfirelens.",
                       log.logDriver);
  }
  if (log.logDriver != "awslogs") return {};
  if (!definition.executionRoleArn) {
    return "Fargate requires task definition to have execution role ARN to support log driver awslogs.";
  }
  if (!log.options || !log.options->contains("awslogs-stream-prefix")) {
    return "Log driver awslogs requires options: awslogs-stream-prefix";
  }
  return {};
}

Problem linux_problem(const api::ecs::LinuxParameters& linux_parameters, const std::string& name) {
  auto refuse = [&name](std::string_view what) -> Problem {
    return fmt::format("Fargate compatible task definitions do not support '{}' (container '{}').", what,
                       name);
  };
  if (!list_or_empty(linux_parameters.devices).empty()) return refuse("linuxParameters.devices");
  if (linux_parameters.sharedMemorySize) return refuse("linuxParameters.sharedMemorySize");
  if (linux_parameters.maxSwap) return refuse("linuxParameters.maxSwap");
  if (linux_parameters.swappiness) return refuse("linuxParameters.swappiness");
  if (!linux_parameters.capabilities) return {};
  for (const auto& capability : list_or_empty(linux_parameters.capabilities->add)) {
    if (capability != "SYS_PTRACE") return refuse("linuxParameters.capabilities.add " + capability);
  }
  return {};
}

Problem container_problem(const ContainerDefinition& container, const TaskDefinition& definition) {
  const auto& name = *container.name;
  if (container.image->find(".dkr.ecr.") != std::string::npos && !definition.executionRoleArn) {
    return "Fargate requires task definition to have execution role ARN to support ECR images.";
  }
  if (auto problem = log_problem(container, definition)) return problem;
  if (container.privileged.value_or(false)) {
    return fmt::format("Fargate compatible task definitions do not support 'privileged' (container '{}').",
                       name);
  }
  if (!list_or_empty(container.links).empty()) return "Fargate does not support links.";
  if (!list_or_empty(container.dockerSecurityOptions).empty()) {
    return fmt::format(
        "Fargate compatible task definitions do not support 'dockerSecurityOptions' (container '{}').", name);
  }
  if (container.linuxParameters) {
    if (auto problem = linux_problem(*container.linuxParameters, name)) return problem;
  }
  for (const auto& requirement : list_or_empty(container.resourceRequirements)) {
    return fmt::format("Fargate does not support resourceRequirements of type {} (container '{}').",
                       requirement.type, name);
  }
  for (const auto& limit : list_or_empty(container.ulimits)) {
    if (limit.name == "nofile") continue;
    return fmt::format("Fargate supports the ulimit nofile only, not {} (container '{}').", limit.name, name);
  }
  return {};
}

Problem volume_problem(const TaskDefinition& definition) {
  for (const auto& volume : list_or_empty(definition.volumes)) {
    if (volume.host && volume.host->sourcePath) {
      return fmt::format("Fargate compatible task definitions do not support host.sourcePath (volume '{}').",
                         *volume.name);
    }
    if (volume.dockerVolumeConfiguration) {
      return fmt::format(
          "Fargate compatible task definitions do not support dockerVolumeConfiguration (volume '{}').",
          *volume.name);
    }
  }
  return {};
}

}  // namespace

Problem fargate_problem(const TaskDefinition& definition) {
  if (definition.networkMode != "awsvpc") return "Fargate only supports network mode ‘awsvpc’.";
  if (auto problem = size_problem(definition)) return problem;
  if (definition.ipcMode) return "Tasks using the Fargate launch type do not support ipcMode.";
  if (definition.pidMode && *definition.pidMode != "task") {
    return "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for "
           "pidMode "
           "is 'task'.";
  }
  if (!list_or_empty(definition.placementConstraints).empty()) {
    return "Fargate compatible task definitions do not support placementConstraints.";
  }
  for (const auto& container : *definition.containerDefinitions) {
    if (auto problem = container_problem(container, definition)) return problem;
  }
  return volume_problem(definition);
}

}  // namespace sampan::ecs
