#include "ecs/launcher.h"

#include "core/error.h"
#include "ecs/assignment.h"
#include "ecs/faults.h"
#include "ecs/overrides.h"
#include "image/reference.h"

namespace sampan::ecs {
namespace {

constexpr std::size_t kMaxSubnets = 16;
constexpr std::size_t kMaxGroups = 5;
constexpr std::string_view kSeeGuide =
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";

Needs needs_of(const TaskRow& row) {
  return {row.reserved_cpu, row.reserved_memory, row.reserved_ports};
}

std::string_view trouble_of(std::string_view reason) {
  if (reason == "RESOURCE:CPU") return "has insufficient CPU units available.";
  if (reason == "RESOURCE:MEMORY") return "has insufficient memory available.";
  return "is already using a port required by your task.";
}

Unplaced no_instance(const std::vector<Refusal>& refusals) {
  Unplaced out;
  for (const auto& refused : refusals) out.failures.push_back({.arn = refused.arn, .reason = refused.reason});
  std::string reason = "No Container Instances were found in your cluster.";
  if (!refusals.empty()) {
    const auto& arn = refusals.front().arn;
    reason = fmt::format("The closest matching (container-instance {}) {}", arn.substr(arn.rfind('/') + 1),
                         trouble_of(refusals.front().reason));
  }
  out.trouble = fmt::format(
      "was unable to place a task because no container instance met all of its requirements. Reason: {} {}",
      reason, kSeeGuide);
  return out;
}

Unplaced no_capacity(std::string reason_code, std::string_view reason) {
  return {.failures = {{.reason = std::move(reason_code), .detail = std::string(reason)}},
          .trouble = fmt::format("was unable to place a task. Reason: {}", reason)};
}

const api::ecs::AwsVpcConfiguration* vpc_configuration(const LaunchSpec& spec) {
  if (!spec.network || !spec.network->awsvpcConfiguration) return nullptr;
  return &*spec.network->awsvpcConfiguration;
}

}  // namespace

Launcher::Launcher(State& state, const Parts& parts, const Options& options)
    : state_(state), parts_(parts), options_(options) {}

void Launcher::choose_capacity(
    LaunchSpec& spec, const api::ecs::Cluster& cluster, const std::optional<std::string>& launch_type,
    const std::optional<std::vector<api::ecs::CapacityProviderStrategyItem>>& strategy) const {
  bool has_strategy = !list_or_empty(strategy).empty();
  if (launch_type && has_strategy) {
    invalid_parameter("Specify either Launch Type or Capacity Provider Strategy, but not both.");
  }
  if (launch_type) {
    if (*launch_type != "FARGATE" && *launch_type != "EC2") {
      invalid_parameter("Launch type {} is not supported here.", *launch_type);
    }
    spec.launch_type = *launch_type;
    return;
  }
  spec.strategy = has_strategy ? *strategy : list_or_empty(cluster.defaultCapacityProviderStrategy);
  if (spec.strategy.empty()) spec.launch_type = "EC2";
  check_strategy(spec.strategy, list_or_empty(cluster.capacityProviders));
}

void Launcher::check(const LaunchSpec& spec) const {
  bool fargate = spec.launch_type != "EC2";
  if (fargate && !contains(spec.definition.compatibilities, "FARGATE")) {
    invalid_parameter("Task definition does not support launch_type FARGATE.");
  }
  if (spec.definition.status != "ACTIVE") client_fault("TaskDefinition is inactive");
  check_network(spec);
  if (auto problem = cannot_run(spec.definition, options_.machine.architecture)) client_fault("{}", *problem);
  if (spec.wish.overrides) {
    check_overrides(*spec.wish.overrides, spec.definition, fargate);
    auto merged = merged_definition(spec.definition, *spec.wish.overrides);
    if (auto problem = cannot_run(merged, options_.machine.architecture)) client_fault("{}", *problem);
  }
  if (spec.wish.execute_command && !spec.definition.taskRoleArn &&
      !(spec.wish.overrides && spec.wish.overrides->taskRoleArn)) {
    invalid_parameter("A task role must be specified when execute command is enabled.");
  }
}

void Launcher::check_network(const LaunchSpec& spec) const {
  const auto* wanted = vpc_configuration(spec);
  if (spec.definition.networkMode != "awsvpc") {
    if (spec.network) {
      invalid_parameter(
          "Network Configuration is not valid for the given networkMode of this task definition.");
    }
    return;
  }
  if (!wanted) {
    invalid_parameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  if (wanted->subnets.empty()) invalid_parameter("subnets can not be empty.");
  if (wanted->subnets.size() > kMaxSubnets) {
    invalid_parameter("subnets can have at most {} items.", kMaxSubnets);
  }
  const auto& groups = list_or_empty(wanted->securityGroups);
  if (groups.size() > kMaxGroups) invalid_parameter("securityGroups can have at most {} items.", kMaxGroups);
  if (spec.launch_type == "EC2" && wanted->assignPublicIp.value_or("DISABLED") == "ENABLED") {
    invalid_parameter("Assign public IP is not supported for this launch type.");
  }
  const auto& [account, region] = spec.scope;
  std::string vpc;
  for (const auto& id : wanted->subnets) {
    auto subnet = parts_.interfaces.subnet(account, region, id);
    if (!subnet) {
      invalid_parameter(
          "Error retrieving subnet information for [{}]: The subnet ID '{}' does not exist (ErrorCode: "
          "InvalidSubnetID.NotFound)",
          id, id);
    }
    if (!vpc.empty() && subnet->vpc_id != vpc) invalid_parameter("Subnets must be in the same VPC.");
    vpc = subnet->vpc_id;
  }
  for (const auto& id : groups) {
    if (parts_.interfaces.has_security_group(account, region, id)) continue;
    invalid_parameter(
        "Error retrieving security group information for [{}]: The security group '{}' does not exist "
        "(ErrorCode: "
        "InvalidGroup.NotFound)",
        id, id);
  }
}

std::map<std::string, std::string> Launcher::resolve_images(
    const Scope& scope, const api::ecs::TaskDefinition& definition) const {
  std::map<std::string, std::string> digests;
  for (const auto& container : list_or_empty(definition.containerDefinitions)) {
    if (container.versionConsistency.value_or("enabled") == "disabled") continue;
    auto reference = image::Reference::parse(*container.image);
    if (!reference) continue;  // the node tells what is wrong with it
    if (reference->digest) {
      digests[*container.name] = reference->digest->str();
    } else if (parts_.catalog.owns(reference->host) &&
               !parts_.catalog.may_change({scope.account, scope.region}, *reference)) {
      auto digest = parts_.catalog.resolve({scope.account, scope.region}, *reference);
      if (digest) digests[*container.name] = digest->str();
    }
  }
  return digests;
}

std::vector<InstanceRoom> Launcher::rooms(const std::string& cluster_key) const {
  std::vector<InstanceRoom> rooms;
  State::each(state_.instances, cluster_key + "/",
              [&](const std::string&, const api::ecs::ContainerInstance& row) {
                if (row.status != "ACTIVE") return;
                InstanceRoom room{.arn = *row.containerInstanceArn};
                for (const auto& resource : list_or_empty(row.registeredResources)) {
                  if (resource.name == "CPU") room.cpu = resource.integerValue.value_or(0);
                  if (resource.name == "MEMORY") room.memory = resource.integerValue.value_or(0);
                  if (resource.name != "PORTS") continue;
                  for (const auto& port : list_or_empty(resource.stringSetValue))
                    room.ports.insert(std::stoi(port));
                }
                for (const auto& attribute : list_or_empty(row.attributes)) {
                  if (attribute.name == "ecs.availability-zone") room.zone = attribute.value.value_or("");
                }
                rooms.push_back(std::move(room));
              });
  if (rooms.empty()) return rooms;
  State::each(state_.tasks, cluster_key + "/", [&](const std::string&, const TaskRow& row) {
    if (row.stopped() || !row.task.containerInstanceArn) return;
    for (auto& room : rooms) {
      if (room.arn == *row.task.containerInstanceArn) occupy(room, needs_of(row));
    }
  });
  return rooms;
}

std::map<std::string, int> Launcher::subnet_load(const LaunchSpec& spec) const {
  std::map<std::string, int> load;
  if (spec.wish.service.empty()) {
    State::each(state_.tasks, cluster_key(spec.scope, spec.cluster) + "/",
                [&](const std::string&, const TaskRow& row) {
                  if (row.wanted() && row.task.group == spec.wish.group) ++load[row.network.subnet_id];
                });
    return load;
  }
  for (const auto& key : state_.tasks_of(member_key(spec.scope, spec.cluster, spec.wish.service))) {
    const auto* row = state_.tasks.find(key);
    if (row && row->wanted()) ++load[row->network.subnet_id];
  }
  return load;
}

std::map<std::string, int> Launcher::provider_load(const LaunchSpec& spec) const {
  std::map<std::string, int> load;
  if (spec.wish.service.empty()) return load;
  for (const auto& key : state_.tasks_of(member_key(spec.scope, spec.cluster, spec.wish.service))) {
    const auto* row = state_.tasks.find(key);
    if (row && row->wanted() && row->deployment == spec.wish.deployment && row->task.capacityProviderName) {
      ++load[*row->task.capacityProviderName];
    }
  }
  return load;
}

TaskIds Launcher::new_ids(const api::ecs::TaskDefinition& definition) const {
  TaskIds ids{.task = parts_.ids.hex(32), .attachment = parts_.ids.uuid()};
  for (std::size_t i = 0; i < definition.containerDefinitions->size(); ++i) {
    ids.containers.push_back(parts_.ids.uuid());
  }
  return ids;
}

std::optional<Unplaced> Launcher::place(const LaunchSpec& spec, TaskWish& wish,
                                        std::vector<InstanceRoom>& rooms) const {
  if (wish.launch_type != "EC2") return std::nullopt;
  auto probe = new_task(wish, spec.definition, new_ids(spec.definition), {});
  std::vector<Refusal> refusals;
  auto chosen = choose_instance(rooms, needs_of(probe), refusals);
  if (!chosen) return no_instance(refusals);
  occupy(rooms[*chosen], needs_of(probe));
  wish.container_instance_arn = rooms[*chosen].arn;
  wish.availability_zone = rooms[*chosen].zone;
  return std::nullopt;
}

Launched Launcher::launch(store::Txn& tx, const LaunchSpec& spec, int count, core::TimePoint now) {
  Launched out;
  bool ec2 = spec.launch_type == "EC2";
  auto instance_rooms = ec2 ? rooms(cluster_key(spec.scope, spec.cluster)) : std::vector<InstanceRoom>{};
  const auto* network = spec.definition.networkMode == "awsvpc" ? vpc_configuration(spec) : nullptr;
  auto load = network && network->subnets.size() > 1 ? subnet_load(spec) : std::map<std::string, int>{};
  auto providers = spec.strategy.empty() ? std::vector<std::string>{}
                                         : spread_over_providers(spec.strategy, provider_load(spec), count);
  int unstopped = state_.counts(cluster_key(spec.scope, spec.cluster)).unstopped;
  for (int i = 0; i < count; ++i) {
    if (unstopped + i >= options_.most_tasks) {
      out.unplaced = no_capacity("RESOURCE:FARGATE",
                                 "You've reached the limit on the number of tasks you can run concurrently");
      return out;
    }
    TaskWish wish = spec.wish;
    wish.launch_type = ec2 ? "EC2" : "FARGATE";
    wish.architecture = options_.machine.architecture == "arm64" ? "arm64" : "x86_64";
    if (!providers.empty()) wish.capacity_provider = providers[i];
    if (auto unplaced = place(spec, wish, instance_rooms)) {
      out.unplaced = std::move(unplaced);
      return out;
    }
    auto row = new_task(wish, spec.definition, new_ids(spec.definition), now);
    if (network) {
      auto subnet = least_loaded(network->subnets, load);
      ++load[subnet];
      try {
        attach_interface(
            row, parts_.interfaces.allocate(tx, {.account = spec.scope.account,
                                                 .region = spec.scope.region,
                                                 .subnet_id = subnet,
                                                 .security_groups = list_or_empty(network->securityGroups),
                                                 .description = *row.task.taskArn}));
      } catch (const core::Error& error) {
        out.unplaced = no_capacity("RESOURCE:ENI", error.what());
        return out;
      }
    }
    tx.put(state_.tasks, member_key(row.scope, row.cluster, row.id), row);
    out.tasks.push_back(std::move(row));
  }
  return out;
}

}  // namespace sampan::ecs
