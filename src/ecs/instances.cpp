// Container instances: this machine, as a place for tasks of launch type EC2.
#include "core/log.h"
#include "ecs/faults.h"
#include "ecs/launcher.h"
#include "ecs/paging.h"
#include "ecs/service_api.h"
#include "ecs/state.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerInstance;
using api::ecs::Resource;

constexpr std::size_t kMostDescribed = 100;
constexpr std::size_t kMostChanged = 10;
constexpr std::string_view kAgentVersion = "1.105.0";

Resource amount(std::string name, int value) {
  return {
      .name = std::move(name), .type = "INTEGER", .doubleValue = 0.0, .longValue = 0, .integerValue = value};
}
Resource ports(std::string name, std::vector<std::string> taken) {
  return {.name = std::move(name),
          .type = "STRINGSET",
          .doubleValue = 0.0,
          .longValue = 0,
          .integerValue = 0,
          .stringSetValue = std::move(taken)};
}

std::vector<Resource> resources(int cpu, int memory, std::vector<std::string> taken) {
  return {amount("CPU", cpu), amount("MEMORY", memory), ports("PORTS", std::move(taken)),
          ports("PORTS_UDP", {})};
}

std::vector<api::ecs::Attribute> attributes(const Machine& machine, const std::string& zone) {
  return {{.name = "ecs.availability-zone", .value = zone},
          {.name = "ecs.cpu-architecture", .value = machine.architecture},
          {.name = "ecs.os-type", .value = "linux"},
          {.name = "ecs.os-family", .value = "LINUX"},
          {.name = "ecs.capability.task-eni"},
          {.name = "com.amazonaws.ecs.capability.task-iam-role"},
          {.name = "com.amazonaws.ecs.capability.logging-driver.awslogs"},
          {.name = "com.amazonaws.ecs.capability.logging-driver.json-file"}};
}

}  // namespace

io::Awaitable<void> EcsApi::register_machine() {
  const auto& machine = options_.machine;
  Scope scope{machine.account, machine.region};
  auto subnets = parts_.interfaces.default_subnets(scope.account, scope.region);
  auto zone = subnets.empty() ? scope.region + "a" : subnets.front().availability_zone;
  auto key = cluster_key(scope, machine.cluster);
  co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto cluster = tx.get(state_->clusters, key);
    if (!cluster || cluster->status != "ACTIVE") {
      api::ecs::Cluster made{.clusterArn = cluster_arn(scope, machine.cluster),
                             .clusterName = machine.cluster};
      made.status = "ACTIVE";
      made.settings = {{.name = "containerInsights", .value = "disabled"}};
      tx.put(state_->clusters, key, made);
    }
    // One machine, one instance: it keeps its ARN over restarts.
    std::string id;
    std::optional<ContainerInstance> known;
    State::each(state_->instances, key + "/", [&](const std::string& row, const ContainerInstance&) {
      id = row.substr(key.size() + 1);
      known = tx.get(state_->instances, row);
    });
    if (id.empty()) id = parts_.ids.hex(32);
    ContainerInstance instance = known.value_or(ContainerInstance{.status = "ACTIVE"});
    instance.containerInstanceArn = instance_arn(scope, machine.cluster, id);
    instance.ec2InstanceId = "i-" + id.substr(0, 17);
    instance.version = instance.version.value_or(0) + 1;
    instance.versionInfo = api::ecs::VersionInfo{.agentVersion = std::string(kAgentVersion)};
    instance.registeredResources =
        resources(machine.cpu_units, machine.memory_mib, {"22", "2375", "2376", "51678", "51679"});
    instance.agentConnected = true;
    instance.attributes = attributes(machine, zone);
    if (!instance.registeredAt) instance.registeredAt = parts_.clock.now();
    instance.attachments.emplace();
    if (!instance.tags) instance.tags.emplace();
    tx.put(state_->instances, key + "/" + id, instance);
  });
}

ContainerInstance EcsApi::shown_instance(const ContainerInstance& row, const std::string& key) const {
  auto shown = row;
  shown.runningTasksCount = 0;
  shown.pendingTasksCount = 0;
  auto cluster = key.substr(0, key.rfind('/'));
  int cpu = 0, memory = 0;
  std::vector<std::string> taken;
  for (const auto& resource : list_or_empty(row.registeredResources)) {
    if (resource.name == "CPU") cpu = resource.integerValue.value_or(0);
    if (resource.name == "MEMORY") memory = resource.integerValue.value_or(0);
    if (resource.name == "PORTS") taken = list_or_empty(resource.stringSetValue);
  }
  State::each(state_->tasks, cluster + "/", [&](const std::string&, const TaskRow& task) {
    if (task.stopped() || task.task.containerInstanceArn != row.containerInstanceArn) return;
    ++(task.task.lastStatus == "RUNNING" ? *shown.runningTasksCount : *shown.pendingTasksCount);
    cpu -= task.reserved_cpu;
    memory -= task.reserved_memory;
    for (int port : task.reserved_ports) taken.push_back(std::to_string(port));
  });
  shown.remainingResources = resources(cpu, memory, std::move(taken));
  return shown;
}

EcsApi::Answer<api::ecs::ListContainerInstancesOutput> EcsApi::ListContainerInstances(
    const Call& call, api::ecs::ListContainerInstancesInput input) {
  if (input.filter && !input.filter->empty()) {
    invalid_parameter("Filters of container instances are not supported here.");
  }
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  std::vector<std::pair<std::string, std::string>> entries;
  State::each(state_->instances, cluster_key(scope_of(call), cluster) + "/",
              [&](const std::string& key, const ContainerInstance& row) {
                bool wanted = input.status ? row.status == *input.status
                                           : row.status == "ACTIVE" || row.status == "DRAINING";
                if (wanted) entries.emplace_back(key, *row.containerInstanceArn);
              });
  auto page = page_of(std::move(entries), input.nextToken, input.maxResults);
  co_return api::ecs::ListContainerInstancesOutput{.containerInstanceArns = std::move(page.items),
                                                   .nextToken = std::move(page.next_token)};
}

EcsApi::Answer<api::ecs::DescribeContainerInstancesOutput> EcsApi::DescribeContainerInstances(
    const Call& call, api::ecs::DescribeContainerInstancesInput input) {
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  if (input.containerInstances.empty()) client_fault("Container Instances cannot be empty.");
  if (input.containerInstances.size() > kMostDescribed) {
    invalid_parameter("containerInstances can have at most {} items.", kMostDescribed);
  }
  api::ecs::DescribeContainerInstancesOutput output;
  output.containerInstances.emplace();
  output.failures.emplace();
  for (const auto& reference : input.containerInstances) {
    auto id = member_name(scope, "container-instance", cluster, reference);
    auto key = id ? member_key(scope, cluster, *id) : std::string();
    const auto* row = id ? state_->instances.find(key) : nullptr;
    if (row) {
      output.containerInstances->push_back(shown_instance(*row, key));
    } else {
      auto arn = is_arn(reference) ? reference : instance_arn(scope, cluster, reference);
      output.failures->push_back({.arn = std::move(arn), .reason = "MISSING"});
    }
  }
  co_return output;
}

EcsApi::Answer<api::ecs::UpdateContainerInstancesStateOutput> EcsApi::UpdateContainerInstancesState(
    const Call& call, api::ecs::UpdateContainerInstancesStateInput input) {
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  if (input.status != "ACTIVE" && input.status != "DRAINING") {
    invalid_parameter("Container instance status should be one of [ACTIVE, DRAINING]");
  }
  if (input.containerInstances.empty()) client_fault("Container Instances cannot be empty.");
  if (input.containerInstances.size() > kMostChanged) {
    invalid_parameter("containerInstances can have at most {} items.", kMostChanged);
  }
  api::ecs::UpdateContainerInstancesStateOutput output;
  auto keys = co_await store::transact(state_->store, [&](store::Txn& tx) {
    std::vector<std::string> changed;
    output.containerInstances.emplace();
    output.failures.emplace();
    for (const auto& reference : input.containerInstances) {
      auto id = member_name(scope, "container-instance", cluster, reference);
      auto key = id ? member_key(scope, cluster, *id) : std::string();
      auto row = id ? tx.get(state_->instances, key) : std::nullopt;
      if (!row) {
        output.failures->push_back({.arn = reference, .reason = "MISSING"});
        continue;
      }
      row->status = input.status;
      row->version = row->version.value_or(0) + 1;
      tx.put(state_->instances, key, *row);
      changed.push_back(key);
    }
    return changed;
  });
  for (const auto& key : keys) {
    if (const auto* row = state_->instances.find(key)) {
      output.containerInstances->push_back(shown_instance(*row, key));
    }
  }
  co_return output;
}

}  // namespace sampan::ecs
