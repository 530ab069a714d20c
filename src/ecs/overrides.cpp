#include "ecs/overrides.h"

#include <algorithm>

#include "aws/json_codec.h"
#include "ecs/faults.h"
#include "ecs/sizes.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerDefinition;
using api::ecs::ContainerOverride;
using api::ecs::TaskDefinition;
using api::ecs::TaskOverride;

constexpr std::size_t kMaxOverrides = 8192;  // characters of JSON

const ContainerOverride* find_override(const TaskOverride& overrides, const std::string& name) {
  for (const auto& item : list_or_empty(overrides.containerOverrides)) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

void merge_environment(ContainerDefinition& container, const std::vector<api::ecs::KeyValuePair>& changes) {
  if (!container.environment) container.environment.emplace();
  auto& environment = *container.environment;
  for (const auto& change : changes) {
    auto same = std::find_if(environment.begin(), environment.end(),
                             [&](const auto& pair) { return pair.name == change.name; });
    if (same == environment.end()) {
      environment.push_back(change);
    } else {
      same->value = change.value;
    }
  }
}

void merge_container(ContainerDefinition& container, const ContainerOverride& change) {
  if (change.command) container.command = change.command;
  if (change.environment) merge_environment(container, *change.environment);
  if (change.environmentFiles) container.environmentFiles = change.environmentFiles;
  if (change.cpu) container.cpu = change.cpu;
  if (change.memory) container.memory = change.memory;
  if (change.memoryReservation) container.memoryReservation = change.memoryReservation;
  if (change.resourceRequirements) container.resourceRequirements = change.resourceRequirements;
}

}  // namespace

void check_overrides(const TaskOverride& overrides, const TaskDefinition& definition, bool fargate) {
  if (aws::json_encode(overrides).size() > kMaxOverrides) {
    invalid_parameter("Overrides length must be at most {}.", kMaxOverrides);
  }
  for (const auto& item : list_or_empty(overrides.containerOverrides)) {
    const auto& containers = *definition.containerDefinitions;
    if (std::none_of(containers.begin(), containers.end(),
                     [&](const auto& container) { return container.name == item.name; })) {
      invalid_parameter("Override for container named {} is not a container in the TaskDefinition.",
                        item.name.value_or(""));
    }
    for (const auto& pair : list_or_empty(item.environment)) {
      if (!pair.name || pair.name->empty() ||
          pair.name->find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
        invalid_parameter("Override for container named {} has an invalid environment variable name.",
                          *item.name);
      }
    }
  }
  auto cpu = parse_cpu(overrides.cpu.value_or(definition.cpu.value_or("")));
  auto memory = parse_memory(overrides.memory.value_or(definition.memory.value_or("")));
  if (overrides.cpu && !cpu) invalid_parameter("Invalid 'cpu' setting for task.");
  if (overrides.memory && !memory) invalid_parameter("Invalid 'memory' setting for task.");
  if (fargate && (overrides.cpu || overrides.memory) && !is_fargate_size(*cpu, *memory)) {
    invalid_parameter("No Fargate configuration exists for given values.");
  }
}

TaskOverride shown_overrides(const std::optional<TaskOverride>& overrides, const TaskDefinition& definition) {
  TaskOverride shown = overrides.value_or(TaskOverride{});
  std::vector<ContainerOverride> containers;
  for (const auto& container : *definition.containerDefinitions) {
    const auto* given = find_override(shown, *container.name);
    containers.push_back(given ? *given : ContainerOverride{.name = container.name});
  }
  shown.containerOverrides = std::move(containers);
  if (!shown.inferenceAcceleratorOverrides) shown.inferenceAcceleratorOverrides.emplace();
  return shown;
}

TaskDefinition merged_definition(const TaskDefinition& definition, const TaskOverride& overrides) {
  TaskDefinition merged = definition;
  for (auto& container : *merged.containerDefinitions) {
    if (const auto* change = find_override(overrides, *container.name)) merge_container(container, *change);
  }
  if (overrides.cpu) merged.cpu = std::to_string(parse_cpu(*overrides.cpu).value_or(0));
  if (overrides.memory) merged.memory = std::to_string(parse_memory(*overrides.memory).value_or(0));
  if (overrides.taskRoleArn) merged.taskRoleArn = overrides.taskRoleArn;
  if (overrides.executionRoleArn) merged.executionRoleArn = overrides.executionRoleArn;
  if (overrides.ephemeralStorage) merged.ephemeralStorage = overrides.ephemeralStorage;
  return merged;
}

}  // namespace sampan::ecs
