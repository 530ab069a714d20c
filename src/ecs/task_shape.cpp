#include "ecs/task_shape.h"

#include "ecs/faults.h"
#include "ecs/overrides.h"

namespace sampan::ecs {
namespace {

constexpr std::string_view kPlatform = "1.4.0";
constexpr int kDefaultStorageGib = 20;

api::ecs::Container new_container(const api::ecs::ContainerDefinition& definition, const TaskWish& wish,
                                  const std::string& task_id, const std::string& container_id) {
  api::ecs::Container container;
  container.containerArn =
      arn(wish.scope, fmt::format("container/{}/{}/{}", wish.cluster, task_id, container_id));
  container.taskArn = task_arn(wish.scope, wish.cluster, task_id);
  container.name = definition.name;
  container.image = definition.image;
  if (auto found = wish.digests.find(*definition.name); found != wish.digests.end()) {
    container.imageDigest = found->second;
  }
  container.lastStatus = "PENDING";
  container.healthStatus = "UNKNOWN";
  container.networkInterfaces.emplace();
  container.cpu = std::to_string(definition.cpu.value_or(0));
  if (definition.memory) container.memory = std::to_string(*definition.memory);
  if (definition.memoryReservation)
    container.memoryReservation = std::to_string(*definition.memoryReservation);
  return container;
}

// What a task takes of a container instance.
void reserve(TaskRow& row, const api::ecs::TaskDefinition& merged) {
  int cpu = 0, memory = 0;
  for (const auto& container : *merged.containerDefinitions) {
    cpu += container.cpu.value_or(0);
    memory += container.memoryReservation.value_or(container.memory.value_or(0));
    for (const auto& port : list_or_empty(container.portMappings)) {
      if (merged.networkMode != "awsvpc" && port.hostPort.value_or(0) != 0) {
        row.reserved_ports.push_back(*port.hostPort);
      }
    }
  }
  row.reserved_cpu = merged.cpu ? std::stoi(*merged.cpu) : cpu;
  row.reserved_memory = merged.memory ? std::stoi(*merged.memory) : memory;
}

void set_fargate(api::ecs::Task& task, const TaskWish& wish, const api::ecs::TaskDefinition& merged) {
  int storage = merged.ephemeralStorage ? merged.ephemeralStorage->sizeInGiB : kDefaultStorageGib;
  task.platformVersion = wish.platform_version;
  task.platformFamily = "Linux";
  task.ephemeralStorage = api::ecs::EphemeralStorage{.sizeInGiB = storage};
  task.fargateEphemeralStorage = api::ecs::TaskEphemeralStorage{.sizeInGiB = storage};
}

}  // namespace

std::string resolve_platform(const std::optional<std::string>& version) {
  if (!version || version->empty() || *version == "LATEST" || *version == kPlatform)
    return std::string(kPlatform);
  if (*version == "1.3.0") return "1.3.0";
  throw api::ecs::PlatformUnknownException("The specified platform version does not exist.");
}

TaskRow new_task(const TaskWish& wish, const api::ecs::TaskDefinition& definition, const TaskIds& ids,
                 core::TimePoint now) {
  TaskRow row;
  row.scope = wish.scope;
  row.cluster = wish.cluster;
  row.id = ids.task;
  row.family = *definition.family;
  row.revision = *definition.revision;
  row.service = wish.service;
  row.deployment = wish.deployment;
  row.digests = wish.digests;
  row.targets = wish.targets;
  row.network.mode = *definition.networkMode;
  if (row.network.mode == "awsvpc") row.network.attachment_id = ids.attachment;

  auto& task = row.task;
  task.overrides = shown_overrides(wish.overrides, definition);
  auto merged = merged_definition(definition, *task.overrides);
  bool fargate = wish.launch_type == "FARGATE";
  if (!fargate) reserve(row, merged);

  task.attachments.emplace();
  task.attributes = {{.name = "ecs.cpu-architecture", .value = wish.architecture}};
  if (!wish.availability_zone.empty()) task.availabilityZone = wish.availability_zone;
  if (!wish.capacity_provider.empty()) task.capacityProviderName = wish.capacity_provider;
  if (!wish.container_instance_arn.empty()) task.containerInstanceArn = wish.container_instance_arn;
  task.clusterArn = cluster_arn(wish.scope, wish.cluster);
  task.containers.emplace();
  for (std::size_t i = 0; i < merged.containerDefinitions->size(); ++i) {
    task.containers->push_back(
        new_container((*merged.containerDefinitions)[i], wish, ids.task, ids.containers.at(i)));
  }
  task.cpu = merged.cpu.value_or(std::to_string(row.reserved_cpu));
  task.memory = merged.memory.value_or(std::to_string(row.reserved_memory));
  task.createdAt = now;
  task.desiredStatus = "RUNNING";
  task.lastStatus = row.network.mode == "awsvpc" ? "PROVISIONING" : "PENDING";
  task.enableExecuteCommand = wish.execute_command;
  task.group = wish.group;
  task.healthStatus = "UNKNOWN";
  task.inferenceAccelerators.emplace();
  task.launchType = wish.launch_type;
  if (!wish.started_by.empty()) task.startedBy = wish.started_by;
  task.tags = wish.tags;
  task.taskArn = task_arn(wish.scope, wish.cluster, ids.task);
  task.taskDefinitionArn = definition.taskDefinitionArn;
  task.version = 1;
  if (fargate) set_fargate(task, wish, merged);
  return row;
}

void attach_interface(TaskRow& row, const vpc::Interface& interface) {
  auto& network = row.network;
  network.interface_id = interface.id;
  network.mac = interface.mac;
  network.address = interface.address;
  network.prefix_length = interface.subnet.prefix_length;
  network.gateway = interface.subnet.gateway;
  network.vpc_id = interface.subnet.vpc_id;
  network.vpc_cidr = interface.subnet.vpc_cidr;
  network.subnet_id = interface.subnet.id;
  network.subnet_cidr = interface.subnet.cidr;
  network.private_dns_name = interface.private_dns_name;
  network.security_groups = interface.security_groups;
  row.task.availabilityZone = interface.subnet.availability_zone;
  row.task.attachments = {{.id = network.attachment_id,
                           .type = "ElasticNetworkInterface",
                           .status = "PRECREATED",
                           .details = {{{.name = "subnetId", .value = interface.subnet.id},
                                        {.name = "networkInterfaceId", .value = interface.id},
                                        {.name = "macAddress", .value = interface.mac},
                                        {.name = "privateDnsName", .value = interface.private_dns_name},
                                        {.name = "privateIPv4Address", .value = interface.address}}}}};
}

}  // namespace sampan::ecs
