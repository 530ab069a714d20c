// What a stored task definition shows beyond what was written, and what it needs of a node.
#include <set>

#include "ecs/definition_rules.h"
#include "ecs/faults.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerDefinition;

template <class T>
void present(std::optional<std::vector<T>>& list) {
  if (!list) list.emplace();
}

void fill_port(api::ecs::PortMapping& port, const std::string& mode) {
  if (!port.protocol) port.protocol = "tcp";
  if (port.containerPortRange) return;
  bool same = mode == "awsvpc" || mode == "host";
  if (same) port.hostPort = port.containerPort;
  if (!port.hostPort) port.hostPort = 0;
}

void fill_container(ContainerDefinition& container, const std::string& mode) {
  if (!container.cpu) container.cpu = 0;
  if (!container.essential) container.essential = true;
  present(container.portMappings);
  present(container.environment);
  present(container.mountPoints);
  present(container.volumesFrom);
  present(container.systemControls);
  for (auto& port : *container.portMappings) fill_port(port, mode);
  if (container.healthCheck) {
    auto& check = *container.healthCheck;
    if (!check.interval) check.interval = 30;
    if (!check.timeout) check.timeout = 5;
    if (!check.retries) check.retries = 3;
  }
}

bool is_ecr_image(const std::string& image) {
  return image.find(".dkr.ecr.") != std::string::npos;
}

}  // namespace

void fill_defaults(api::ecs::TaskDefinition& definition) {
  for (auto& container : *definition.containerDefinitions) fill_container(container, *definition.networkMode);
  present(definition.volumes);
  present(definition.placementConstraints);
}

std::vector<api::ecs::Attribute> required_attributes(const api::ecs::TaskDefinition& definition) {
  std::set<std::string> names;
  auto needs = [&names](std::string_view name) {
    names.insert("com.amazonaws.ecs.capability." + std::string(name));
  };
  auto agent_needs = [&names](std::string_view name) { names.insert("ecs.capability." + std::string(name)); };
  needs("docker-remote-api.1.18");
  if (definition.taskRoleArn) needs("task-iam-role");
  if (definition.networkMode == "awsvpc") agent_needs("task-eni");
  for (const auto& container : *definition.containerDefinitions) {
    if (container.memoryReservation) needs("docker-remote-api.1.21");
    if (container.privileged.value_or(false)) needs("privileged-container");
    if (container.healthCheck) agent_needs("container-health-check");
    if (!list_or_empty(container.dependsOn).empty()) agent_needs("container-ordering");
    if (is_ecr_image(*container.image)) {
      needs("ecr-auth");
      if (definition.executionRoleArn) agent_needs("execution-role-ecr-pull");
    }
    if (!container.logConfiguration) continue;
    needs("logging-driver." + container.logConfiguration->logDriver);
    if (container.logConfiguration->logDriver != "awslogs") continue;
    needs("docker-remote-api.1.19");
    if (definition.executionRoleArn) agent_needs("execution-role-awslogs");
  }
  std::vector<api::ecs::Attribute> attributes;
  for (const auto& name : names) attributes.push_back({.name = name});
  return attributes;
}

}  // namespace sampan::ecs
