#include "ecs/definition_rules.h"

#include <set>

#include "aws/json_codec.h"
#include "core/text.h"
#include "ecs/faults.h"
#include "ecs/names.h"
#include "ecs/sizes.h"

namespace sampan::ecs {
namespace {

using api::ecs::TaskDefinition;

constexpr std::size_t kMaxDefinitionBytes = 64 * 1024;
constexpr std::size_t kMaxPlacementConstraints = 10;
constexpr int kLeastTaskCpu = 128;
constexpr int kMostTaskCpu = 196608;
constexpr int kLeastTaskMemory = 6;
constexpr std::size_t kMaxTags = 50;
constexpr std::string_view kSeeGuide =
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";

void check_family(const std::string& family) {
  if (family.empty()) client_fault("Family should not be null or empty.");
  if (!valid_name(family)) {
    client_fault(
        "Family contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, hyphens, "
        "and underscores are allowed.");
  }
}

void normalise_sizes(TaskDefinition& definition) {
  if (definition.cpu) {
    auto cpu = parse_cpu(*definition.cpu);
    if (!cpu || *cpu < kLeastTaskCpu || *cpu > kMostTaskCpu) {
      client_fault("Invalid 'cpu' setting for task. {}", kSeeGuide);
    }
    definition.cpu = std::to_string(*cpu);
  }
  if (definition.memory) {
    auto memory = parse_memory(*definition.memory);
    if (!memory || *memory < kLeastTaskMemory)
      client_fault("Invalid 'memory' setting for task. {}", kSeeGuide);
    definition.memory = std::to_string(*memory);
  }
}

void check_sums(const TaskDefinition& definition) {
  if (!definition.cpu) return;
  std::int64_t sum = 0;
  for (const auto& container : list_or_empty(definition.containerDefinitions))
    sum += container.cpu.value_or(0);
  if (sum > *core::parse_int(*definition.cpu)) {
    client_fault("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.");
  }
}

void check_storage(const TaskDefinition& definition) {
  if (!definition.ephemeralStorage) return;
  int size = definition.ephemeralStorage->sizeInGiB;
  if (size < 21) client_fault("EphemeralStorage size should be at least 21");
  if (size > 200) client_fault("EphemeralStorage size should be at most 200");
}

void check_task_level(const TaskDefinition& definition) {
  if (list_or_empty(definition.placementConstraints).size() > kMaxPlacementConstraints) {
    client_fault("Too many placement constraints: at most {} are allowed.", kMaxPlacementConstraints);
  }
  check_storage(definition);
  check_sums(definition);
}

TaskDefinition from_request(api::ecs::RegisterTaskDefinitionRequest request) {
  TaskDefinition definition;
  definition.family = std::move(request.family);
  definition.taskRoleArn = std::move(request.taskRoleArn);
  definition.executionRoleArn = std::move(request.executionRoleArn);
  definition.networkMode = std::move(request.networkMode);
  definition.containerDefinitions = std::move(request.containerDefinitions);
  definition.volumes = std::move(request.volumes);
  definition.placementConstraints = std::move(request.placementConstraints);
  definition.requiresCompatibilities = std::move(request.requiresCompatibilities);
  definition.cpu = std::move(request.cpu);
  definition.memory = std::move(request.memory);
  definition.pidMode = std::move(request.pidMode);
  definition.ipcMode = std::move(request.ipcMode);
  definition.proxyConfiguration = std::move(request.proxyConfiguration);
  definition.inferenceAccelerators = std::move(request.inferenceAccelerators);
  definition.ephemeralStorage = std::move(request.ephemeralStorage);
  definition.runtimePlatform = std::move(request.runtimePlatform);
  definition.enableFaultInjection = request.enableFaultInjection;
  return definition;
}

// EC2 always (whatever is no EC2 was refused), FARGATE when it would take it.
void fill_compatibilities(TaskDefinition& definition) {
  auto problem = fargate_problem(definition);
  if (problem && contains(definition.requiresCompatibilities, "FARGATE")) client_fault("{}", *problem);
  definition.compatibilities = {"EC2"};
  if (!problem) definition.compatibilities->push_back("FARGATE");
}

}  // namespace

void check_tags(const std::optional<std::vector<api::ecs::Tag>>& tags) {
  std::set<std::string_view> keys;
  if (list_or_empty(tags).size() > kMaxTags) {
    invalid_parameter("The maximum number of tags for a resource is {}.", kMaxTags);
  }
  for (const auto& tag : list_or_empty(tags)) {
    if (!tag.key || tag.key->empty()) invalid_parameter("Tag keys must not be null or empty.");
    if (core::to_lower(*tag.key).starts_with("aws:")) {
      invalid_parameter("Tag keys may not begin with the reserved prefix aws:.");
    }
    if (!keys.insert(*tag.key).second)
      invalid_parameter("Duplicate tag keys found. Please note that tag keys are case sensitive.");
  }
}

TaskDefinition checked_definition(api::ecs::RegisterTaskDefinitionRequest request) {
  check_family(request.family);
  auto definition = from_request(std::move(request));
  // networkMode's default is bridge on EC2; Fargate demands that awsvpc is written.
  if (!definition.networkMode) definition.networkMode = "bridge";
  normalise_sizes(definition);
  check_containers(definition);
  check_ports(definition);
  check_dependencies(definition);
  check_volumes(definition);
  check_task_level(definition);
  fill_defaults(definition);
  fill_compatibilities(definition);
  definition.requiresAttributes = required_attributes(definition);
  if (aws::json_encode(definition).size() > kMaxDefinitionBytes) {
    client_fault("Actual length of the task definition is greater than the maximum of {} bytes.",
                 kMaxDefinitionBytes);
  }
  return definition;
}

}  // namespace sampan::ecs
