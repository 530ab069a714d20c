#include "cli/deploy_plan.h"

#include <fmt/core.h>

#include "aws/json_codec.h"

namespace sampan::cli {
namespace ecs = api::ecs;

Names names_of(const ServiceWish& wish) {
  auto full = wish.single ? wish.app : wish.app + "-" + wish.service.name;
  // Target group and load balancer names have at most 32 characters.
  if (full.size() > 32) full.resize(32);
  while (full.ends_with('-')) full.pop_back();
  return {full, wish.app, "/sampan/" + wish.app, "sampan-" + wish.app};
}

ecs::RegisterTaskDefinitionRequest task_definition(const ServiceWish& wish) {
  const auto& service = wish.service;
  auto names = names_of(wish);
  auto size = fargate_size(service.cpus, service.memory_mib);

  ecs::ContainerDefinition container;
  container.name = service.name;
  container.image = wish.image;
  container.essential = true;
  if (!service.command.empty()) container.command = service.command;
  if (!service.entry_point.empty()) container.entryPoint = service.entry_point;
  if (!service.working_directory.empty()) container.workingDirectory = service.working_directory;
  if (!service.user.empty()) container.user = service.user;
  container.stopTimeout = service.stop_timeout_seconds;
  std::vector<ecs::KeyValuePair> environment;
  for (const auto& [name, value] : service.environment) {
    ecs::KeyValuePair pair;
    pair.name = name;
    pair.value = value;
    environment.push_back(pair);
  }
  container.environment = environment;
  std::vector<ecs::PortMapping> ports;
  for (const auto& port : service.ports) {
    ecs::PortMapping mapping;
    mapping.containerPort = port.container;
    mapping.protocol = "tcp";
    ports.push_back(mapping);
  }
  container.portMappings = ports;
  if (service.health) {
    ecs::HealthCheck health;
    health.command = service.health->command;
    health.interval = service.health->interval_seconds;
    health.timeout = service.health->timeout_seconds;
    health.retries = service.health->retries;
    if (service.health->start_period_seconds > 0) health.startPeriod = service.health->start_period_seconds;
    container.healthCheck = health;
  }
  ecs::LogConfiguration log;
  log.logDriver = "awslogs";
  log.options = std::map<std::string, std::string>{{"awslogs-group", names.log_group},
                                                   {"awslogs-region", wish.region},
                                                   {"awslogs-stream-prefix", service.name},
                                                   {"awslogs-create-group", "true"}};
  container.logConfiguration = log;

  ecs::RegisterTaskDefinitionRequest request;
  request.family = names.family;
  request.networkMode = "awsvpc";
  request.requiresCompatibilities = std::vector<std::string>{"FARGATE"};
  request.cpu = std::to_string(size.cpu);
  request.memory = std::to_string(size.memory);
  request.executionRoleArn = "arn:aws:iam::000000000000:role/ecsTaskExecutionRole";
  request.containerDefinitions = {container};
  return request;
}

namespace {

// The parts that decide what runs, in one form: defaults that registering fills in are taken out.
std::string comparable(const std::vector<ecs::ContainerDefinition>& containers, const std::optional<std::string>& cpu,
                       const std::optional<std::string>& memory) {
  std::string out = cpu.value_or("") + "/" + memory.value_or("");
  for (auto container : containers) {
    if (container.cpu == 0) container.cpu.reset();
    if (container.portMappings) {
      for (auto& port : *container.portMappings) port.hostPort.reset();
    }
    auto drop_empty = [](auto& list) {
      if (list && list->empty()) list.reset();
    };
    drop_empty(container.environment);
    drop_empty(container.portMappings);
    drop_empty(container.mountPoints);
    drop_empty(container.volumesFrom);
    drop_empty(container.systemControls);
    out += aws::json_encode(container);
  }
  return out;
}

}  // namespace

bool differs(const ecs::RegisterTaskDefinitionRequest& wanted, const ecs::TaskDefinition& current) {
  return comparable(wanted.containerDefinitions, wanted.cpu, wanted.memory) !=
         comparable(current.containerDefinitions.value_or(std::vector<ecs::ContainerDefinition>{}), current.cpu, current.memory);
}

std::string ending_of(const ecs::Task& task) {
  if (task.lastStatus != "STOPPED") return task.healthStatus == "UNKNOWN" ? "" : task.healthStatus.value_or("");
  auto text = task.stoppedReason.value_or("");
  for (const auto& container : task.containers.value_or(std::vector<ecs::Container>{})) {
    if (container.reason && *container.reason == text) continue;
    if (container.reason) text += "; " + container.name.value_or("") + ": " + *container.reason;
    else if (container.exitCode.value_or(0) != 0) text += fmt::format("; {} exited {}", container.name.value_or(""), *container.exitCode);
  }
  return text;
}

std::string public_url(const std::string& dns_name, int port) {
  return "http://" + dns_name + (port == 80 ? "" : ":" + std::to_string(port)) + "/";
}

}  // namespace sampan::cli
