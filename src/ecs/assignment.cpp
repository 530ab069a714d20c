#include "ecs/assignment.h"

#include "core/text.h"
#include "ecs/faults.h"
#include "ecs/overrides.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerDefinition;
using api::ecs::TaskDefinition;

node::LogConfiguration log_of(const ContainerDefinition& container) {
  if (!container.logConfiguration) return {};
  return {.driver = container.logConfiguration->logDriver,
          .options = container.logConfiguration->options.value_or(std::map<std::string, std::string>{})};
}

std::optional<node::HealthCheck> health_check_of(const ContainerDefinition& container) {
  if (!container.healthCheck || container.healthCheck->command.front() == "NONE") return std::nullopt;
  const auto& check = *container.healthCheck;
  return node::HealthCheck{.command = check.command,
                           .interval_seconds = check.interval.value_or(30),
                           .timeout_seconds = check.timeout.value_or(5),
                           .retries = check.retries.value_or(3),
                           .start_period_seconds = check.startPeriod.value_or(0)};
}

// The lists of a container.
void fill_lists(node::ContainerAssignment& out, const ContainerDefinition& in) {
  for (const auto& pair : list_or_empty(in.environment)) {
    out.environment.emplace_back(*pair.name, pair.value.value_or(""));
  }
  for (const auto& dependency : list_or_empty(in.dependsOn)) {
    out.depends_on.push_back({dependency.containerName, dependency.condition});
  }
  for (const auto& port : list_or_empty(in.portMappings)) {
    if (!port.containerPort) continue;
    out.ports.push_back({*port.containerPort, port.hostPort.value_or(0), port.protocol.value_or("tcp")});
  }
  for (const auto& mount : list_or_empty(in.mountPoints)) {
    out.mounts.push_back({*mount.sourceVolume, *mount.containerPath, mount.readOnly.value_or(false)});
  }
  for (const auto& from : list_or_empty(in.volumesFrom)) {
    out.volumes_from.emplace_back(*from.sourceContainer, from.readOnly.value_or(false));
  }
  for (const auto& limit : list_or_empty(in.ulimits)) {
    out.ulimits.push_back({limit.name, limit.softLimit, limit.hardLimit});
  }
  for (const auto& host : list_or_empty(in.extraHosts))
    out.extra_hosts.emplace_back(host.hostname, host.ipAddress);
  for (const auto& control : list_or_empty(in.systemControls)) {
    if (control.namespace_) out.sysctls[*control.namespace_] = control.value.value_or("");
  }
}

node::ContainerAssignment container_of(const ContainerDefinition& in, const TaskRow& row) {
  node::ContainerAssignment out;
  out.name = *in.name;
  for (const auto& container : list_or_empty(row.task.containers)) {
    if (container.name == in.name) out.arn = container.containerArn.value_or("");
  }
  out.image = *in.image;
  if (auto found = row.digests.find(*in.name); found != row.digests.end()) out.image_digest = found->second;
  out.essential = in.essential.value_or(true);
  // An empty list means the image's own, as Docker takes it.
  if (!list_or_empty(in.entryPoint).empty()) out.entry_point = in.entryPoint;
  if (!list_or_empty(in.command).empty()) out.command = in.command;
  out.user = in.user.value_or("");
  out.working_directory = in.workingDirectory.value_or("");
  out.hostname = in.hostname.value_or("");
  out.cpu_units = in.cpu.value_or(0);
  out.memory_mib = in.memory;
  out.memory_reservation_mib = in.memoryReservation;
  out.start_timeout_seconds = in.startTimeout;
  out.stop_timeout_seconds = in.stopTimeout;
  out.health_check = health_check_of(in);
  fill_lists(out, in);
  if (in.linuxParameters) {
    out.init_process = in.linuxParameters->initProcessEnabled.value_or(false);
    if (in.linuxParameters->capabilities) {
      out.capabilities_add = list_or_empty(in.linuxParameters->capabilities->add);
      out.capabilities_drop = list_or_empty(in.linuxParameters->capabilities->drop);
    }
  }
  if (in.dockerLabels) out.labels = *in.dockerLabels;
  out.privileged = in.privileged.value_or(false);
  out.read_only_root = in.readonlyRootFilesystem.value_or(false);
  out.interactive = in.interactive.value_or(false);
  out.pseudo_terminal = in.pseudoTerminal.value_or(false);
  out.log = log_of(in);
  return out;
}

// The first field of a container that a node here cannot honour.
std::optional<std::string_view> container_lacks(const ContainerDefinition& c) {
  if (!list_or_empty(c.secrets).empty()) return "secrets";
  if (!list_or_empty(c.environmentFiles).empty()) return "environmentFiles";
  if (c.repositoryCredentials) return "repositoryCredentials";
  if (!list_or_empty(c.links).empty()) return "links";
  if (c.restartPolicy && c.restartPolicy->enabled) return "restartPolicy";
  if (c.firelensConfiguration) return "firelensConfiguration";
  if (c.disableNetworking.value_or(false)) return "disableNetworking";
  if (!list_or_empty(c.dnsServers).empty()) return "dnsServers";
  if (!list_or_empty(c.dnsSearchDomains).empty()) return "dnsSearchDomains";
  if (!list_or_empty(c.dockerSecurityOptions).empty()) return "dockerSecurityOptions";
  if (!list_or_empty(c.resourceRequirements).empty()) return "resourceRequirements";
  if (!list_or_empty(c.credentialSpecs).empty()) return "credentialSpecs";
  for (const auto& port : list_or_empty(c.portMappings)) {
    if (port.containerPortRange) return "portMappings.containerPortRange";
  }
  if (c.linuxParameters) {
    const auto& linux_parameters = *c.linuxParameters;
    if (!list_or_empty(linux_parameters.devices).empty()) return "linuxParameters.devices";
    if (!list_or_empty(linux_parameters.tmpfs).empty()) return "linuxParameters.tmpfs";
    if (linux_parameters.sharedMemorySize) return "linuxParameters.sharedMemorySize";
    if (linux_parameters.maxSwap || linux_parameters.swappiness)
      return "linuxParameters.maxSwap and swappiness";
  }
  if (!c.logConfiguration) return std::nullopt;
  if (!list_or_empty(c.logConfiguration->secretOptions).empty()) return "logConfiguration.secretOptions";
  const auto& driver = c.logConfiguration->logDriver;
  if (driver != "awslogs" && driver != "json-file") return "logConfiguration.logDriver other than awslogs";
  return std::nullopt;
}

std::optional<std::string> task_lacks(const TaskDefinition& definition, const std::string& architecture) {
  if (definition.pidMode) return "pidMode";
  if (definition.ipcMode) return "ipcMode";
  if (definition.proxyConfiguration) return "proxyConfiguration";
  if (!list_or_empty(definition.inferenceAccelerators).empty()) return "inferenceAccelerators";
  if (definition.enableFaultInjection.value_or(false)) return "enableFaultInjection";
  for (const auto& volume : list_or_empty(definition.volumes)) {
    if (volume.efsVolumeConfiguration) return "volumes.efsVolumeConfiguration";
    if (volume.dockerVolumeConfiguration) return "volumes.dockerVolumeConfiguration";
    if (volume.s3filesVolumeConfiguration) return "volumes.s3filesVolumeConfiguration";
    if (volume.fsxWindowsFileServerVolumeConfiguration)
      return "volumes.fsxWindowsFileServerVolumeConfiguration";
    if (volume.configuredAtLaunch.value_or(false)) return "volumes.configuredAtLaunch";
  }
  if (!definition.runtimePlatform) return std::nullopt;
  if (definition.runtimePlatform->operatingSystemFamily.value_or("LINUX") != "LINUX") {
    return "runtimePlatform.operatingSystemFamily " + *definition.runtimePlatform->operatingSystemFamily;
  }
  auto wanted = core::to_lower(definition.runtimePlatform->cpuArchitecture.value_or(architecture));
  if (wanted != core::to_lower(architecture)) return "runtimePlatform.cpuArchitecture " + wanted;
  return std::nullopt;
}

}  // namespace

node::TaskAssignment assignment_of(const TaskRow& row, const TaskDefinition& definition) {
  auto merged = merged_definition(definition, *row.task.overrides);
  node::TaskAssignment out;
  out.task_id = row.id;
  out.task_arn = *row.task.taskArn;
  out.account = row.scope.account;
  out.region = row.scope.region;
  out.cluster = row.cluster;
  out.family = row.family;
  out.revision = row.revision;
  out.launch_type = row.task.launchType.value_or("FARGATE");
  out.availability_zone = row.task.availabilityZone.value_or("");
  out.service = row.service;
  out.task_role_arn = merged.taskRoleArn.value_or("");
  out.execution_role_arn = merged.executionRoleArn.value_or("");
  out.cpu_units = merged.cpu ? std::stoi(*merged.cpu) : 0;
  out.memory_mib = merged.memory ? std::stoi(*merged.memory) : 0;
  if (merged.ephemeralStorage) out.ephemeral_storage_gib = merged.ephemeralStorage->sizeInGiB;
  out.network = row.network;
  for (const auto& container : *merged.containerDefinitions)
    out.containers.push_back(container_of(container, row));
  for (const auto& volume : list_or_empty(merged.volumes)) {
    out.volumes.push_back({*volume.name, volume.host ? volume.host->sourcePath.value_or("") : ""});
  }
  for (const auto& tag : list_or_empty(row.task.tags)) out.tags[*tag.key] = tag.value.value_or("");
  return out;
}

std::optional<std::string> cannot_run(const TaskDefinition& definition, const std::string& architecture) {
  auto sentence = [](std::string_view what) {
    return fmt::format("The task definition uses {}, which this Sampan cannot run.", what);
  };
  if (auto what = task_lacks(definition, architecture)) return sentence(*what);
  for (const auto& container : list_or_empty(definition.containerDefinitions)) {
    auto what = container_lacks(container);
    if (what) return sentence(fmt::format("{} in container '{}'", *what, *container.name));
  }
  return std::nullopt;
}

}  // namespace sampan::ecs
