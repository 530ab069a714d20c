// Clusters: create, describe, list, delete, change.
#include "ecs/definition_rules.h"
#include "ecs/faults.h"
#include "ecs/paging.h"
#include "ecs/placement.h"
#include "ecs/service_api.h"
#include "ecs/state.h"

namespace sampan::ecs {
namespace {

using api::ecs::Cluster;
using api::ecs::ClusterNotFoundException;

constexpr std::size_t kMostDescribed = 100;

api::ecs::KeyValuePair statistic(std::string name, int value) {
  return {.name = std::move(name), .value = std::to_string(value)};
}

// containerInsights is always shown, as AWS does.
std::vector<api::ecs::ClusterSetting> settings_or_default(
    const std::optional<std::vector<api::ecs::ClusterSetting>>& settings) {
  if (settings && !settings->empty()) return *settings;
  return {{.name = "containerInsights", .value = "disabled"}};
}

void check_providers(const std::vector<std::string>& providers) {
  for (const auto& name : providers) {
    if (name != "FARGATE" && name != "FARGATE_SPOT") {
      invalid_parameter(
          "The specified capacity provider '{}' was not found. Specify a valid name and try again.", name);
    }
  }
}

Cluster new_cluster(const Scope& scope, const std::string& name, api::ecs::CreateClusterRequest input) {
  Cluster cluster;
  cluster.clusterArn = cluster_arn(scope, name);
  cluster.clusterName = name;
  cluster.status = "ACTIVE";
  cluster.tags = list_or_empty(input.tags);
  cluster.settings = settings_or_default(input.settings);
  cluster.configuration = std::move(input.configuration);
  cluster.capacityProviders = list_or_empty(input.capacityProviders);
  cluster.defaultCapacityProviderStrategy = list_or_empty(input.defaultCapacityProviderStrategy);
  return cluster;
}

}  // namespace

Cluster EcsApi::shown_cluster(const Cluster& row, const std::string& key,
                              const std::optional<std::vector<std::string>>& include) const {
  Cluster shown;
  shown.clusterArn = row.clusterArn;
  shown.clusterName = row.clusterName;
  shown.status = row.status;
  const auto& counts = state_->counts(key);
  int instances = 0;
  State::each(state_->instances, key + "/", [&](const auto&, const auto& instance) {
    if (instance.status == "ACTIVE" || instance.status == "DRAINING") ++instances;
  });
  shown.registeredContainerInstancesCount = instances;
  shown.runningTasksCount = counts.running;
  shown.pendingTasksCount = counts.pending;
  shown.activeServicesCount = counts.services;
  shown.capacityProviders = list_or_empty(row.capacityProviders);
  shown.defaultCapacityProviderStrategy = list_or_empty(row.defaultCapacityProviderStrategy);
  shown.statistics.emplace();
  shown.tags.emplace();
  shown.settings.emplace();
  if (contains(include, "TAGS")) shown.tags = row.tags;
  if (contains(include, "SETTINGS")) shown.settings = row.settings;
  if (contains(include, "CONFIGURATIONS")) shown.configuration = row.configuration;
  if (contains(include, "STATISTICS")) {
    int ec2_running = 0, ec2_pending = 0;
    State::each(state_->tasks, key + "/", [&](const std::string&, const TaskRow& task) {
      if (task.task.launchType != "EC2") return;
      if (task.task.lastStatus == "RUNNING") ++ec2_running;
      if (task.task.lastStatus == "PENDING" || task.task.lastStatus == "PROVISIONING") ++ec2_pending;
    });
    int ec2_services = 0, draining_ec2 = 0, draining_fargate = 0;
    State::each(state_->services, key + "/", [&](const std::string&, const ServiceRow& service) {
      bool ec2 = service.service.launchType == "EC2";
      if (service.active()) ec2_services += ec2;
      if (service.service.status == "DRAINING") ++(ec2 ? draining_ec2 : draining_fargate);
    });
    shown.statistics = {statistic("runningEC2TasksCount", ec2_running),
                        statistic("runningFargateTasksCount", counts.running - ec2_running),
                        statistic("pendingEC2TasksCount", ec2_pending),
                        statistic("pendingFargateTasksCount", counts.pending - ec2_pending),
                        statistic("activeEC2ServiceCount", ec2_services),
                        statistic("activeFargateServiceCount", counts.services - ec2_services),
                        statistic("drainingEC2ServiceCount", draining_ec2),
                        statistic("drainingFargateServiceCount", draining_fargate)};
  }
  return shown;
}

EcsApi::Answer<api::ecs::CreateClusterOutput> EcsApi::CreateCluster(const Call& call,
                                                                    api::ecs::CreateClusterInput input) {
  auto scope = scope_of(call);
  auto name = input.clusterName.value_or("default");
  if (name.empty()) name = "default";
  if (!valid_name(name)) {
    invalid_parameter(
        "Identifier was in an invalid format. Cluster names have up to 255 letters, numbers, hyphens and "
        "underscores.");
  }
  check_tags(input.tags);
  check_providers(list_or_empty(input.capacityProviders));
  check_strategy(list_or_empty(input.defaultCapacityProviderStrategy),
                 list_or_empty(input.capacityProviders));
  auto key = cluster_key(scope, name);
  auto row = co_await store::transact(state_->store, [&](store::Txn& tx) {
    // The same name again is the same cluster, whatever else the request says.
    auto known = tx.get(state_->clusters, key);
    if (known && known->status == "ACTIVE") return *known;
    auto made = new_cluster(scope, name, input);
    tx.put(state_->clusters, key, made);
    return made;
  });
  api::ecs::CreateClusterOutput output;
  output.cluster = shown_cluster(row, key, {{"TAGS", "SETTINGS", "CONFIGURATIONS"}});
  co_return output;
}

EcsApi::Answer<api::ecs::DescribeClustersOutput> EcsApi::DescribeClusters(
    const Call& call, api::ecs::DescribeClustersInput input) {
  auto scope = scope_of(call);
  api::ecs::DescribeClustersOutput output;
  output.clusters.emplace();
  output.failures.emplace();
  auto names = list_or_empty(input.clusters);
  if (names.empty()) names = {"default"};
  if (names.size() > kMostDescribed) invalid_parameter("clusters can have at most {} items.", kMostDescribed);
  for (const auto& reference : names) {
    auto name = cluster_name(scope, reference);
    auto key = name ? cluster_key(scope, *name) : std::string();
    const auto* row = name ? state_->clusters.find(key) : nullptr;
    if (row) {
      output.clusters->push_back(shown_cluster(*row, key, input.include));
    } else {
      auto arn = is_arn(reference) ? reference : cluster_arn(scope, reference);
      output.failures->push_back({.arn = std::move(arn), .reason = "MISSING"});
    }
  }
  co_return output;
}

EcsApi::Answer<api::ecs::ListClustersOutput> EcsApi::ListClusters(const Call& call,
                                                                  api::ecs::ListClustersInput input) {
  std::vector<std::pair<std::string, std::string>> entries;
  State::each(state_->clusters, scope_key(scope_of(call)), [&](const std::string& key, const Cluster& row) {
    if (row.status == "ACTIVE") entries.emplace_back(key, *row.clusterArn);
  });
  auto page = page_of(std::move(entries), input.nextToken, input.maxResults);
  co_return api::ecs::ListClustersOutput{.clusterArns = std::move(page.items),
                                         .nextToken = std::move(page.next_token)};
}

EcsApi::Answer<api::ecs::DeleteClusterOutput> EcsApi::DeleteCluster(const Call& call,
                                                                    api::ecs::DeleteClusterInput input) {
  std::string name;
  cluster_of(call, input.cluster, name);
  auto key = cluster_key(scope_of(call), name);
  auto row = co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto cluster = tx.get(state_->clusters, key);
    if (!cluster) throw ClusterNotFoundException("Cluster not found.");
    const auto& counts = state_->counts(key);
    if (shown_cluster(*cluster, key, {}).registeredContainerInstancesCount != 0) {
      throw api::ecs::ClusterContainsContainerInstancesException(
          "The Cluster cannot be deleted while Container Instances are active or draining.");
    }
    if (counts.live_services > 0) {
      throw api::ecs::ClusterContainsServicesException(
          "The Cluster cannot be deleted while Services are active.");
    }
    if (counts.unstopped > 0) {
      throw api::ecs::ClusterContainsTasksException("The Cluster cannot be deleted while Tasks are active.");
    }
    cluster->status = "INACTIVE";
    cluster->capacityProviders.emplace();
    cluster->defaultCapacityProviderStrategy.emplace();
    tx.put(state_->clusters, key, *cluster);
    return *cluster;
  });
  api::ecs::DeleteClusterOutput output;
  output.cluster = shown_cluster(row, key, {});
  co_return output;
}

EcsApi::Answer<api::ecs::UpdateClusterOutput> EcsApi::UpdateCluster(const Call& call,
                                                                    api::ecs::UpdateClusterInput input) {
  std::string name;
  cluster_of(call, input.cluster, name);
  auto key = cluster_key(scope_of(call), name);
  auto row = co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto cluster = tx.get(state_->clusters, key);
    if (!cluster) throw ClusterNotFoundException("Cluster not found.");
    if (input.settings) cluster->settings = settings_or_default(input.settings);
    if (input.configuration) cluster->configuration = input.configuration;
    tx.put(state_->clusters, key, *cluster);
    return *cluster;
  });
  api::ecs::UpdateClusterOutput output;
  output.cluster = shown_cluster(row, key, {{"TAGS", "SETTINGS", "CONFIGURATIONS"}});
  co_return output;
}

EcsApi::Answer<api::ecs::UpdateClusterSettingsOutput> EcsApi::UpdateClusterSettings(
    const Call& call, api::ecs::UpdateClusterSettingsInput input) {
  auto changed = co_await UpdateCluster(call, {.cluster = input.cluster, .settings = input.settings});
  co_return api::ecs::UpdateClusterSettingsOutput{.cluster = changed.cluster};
}

EcsApi::Answer<api::ecs::PutClusterCapacityProvidersOutput> EcsApi::PutClusterCapacityProviders(
    const Call& call, api::ecs::PutClusterCapacityProvidersInput input) {
  std::string name;
  cluster_of(call, input.cluster, name);
  auto key = cluster_key(scope_of(call), name);
  check_providers(input.capacityProviders);
  check_strategy(input.defaultCapacityProviderStrategy, input.capacityProviders);
  auto row = co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto cluster = tx.get(state_->clusters, key);
    if (!cluster) throw ClusterNotFoundException("Cluster not found.");
    cluster->capacityProviders = input.capacityProviders;
    cluster->defaultCapacityProviderStrategy = input.defaultCapacityProviderStrategy;
    tx.put(state_->clusters, key, *cluster);
    return *cluster;
  });
  api::ecs::PutClusterCapacityProvidersOutput output;
  output.cluster = shown_cluster(row, key, {{"TAGS", "SETTINGS", "CONFIGURATIONS"}});
  co_return output;
}

EcsApi::Answer<api::ecs::DescribeCapacityProvidersOutput> EcsApi::DescribeCapacityProviders(
    const Call& call, api::ecs::DescribeCapacityProvidersInput input) {
  auto scope = scope_of(call);
  api::ecs::DescribeCapacityProvidersOutput output;
  output.capacityProviders.emplace();
  output.failures.emplace();
  auto wanted = list_or_empty(input.capacityProviders);
  if (wanted.empty()) wanted = {"FARGATE", "FARGATE_SPOT"};
  for (const auto& reference : wanted) {
    auto name = reference.substr(reference.rfind('/') + 1);
    auto provider_arn = arn(scope, "capacity-provider/" + name);
    if (name != "FARGATE" && name != "FARGATE_SPOT") {
      output.failures->push_back({.arn = provider_arn, .reason = "MISSING"});
      continue;
    }
    api::ecs::CapacityProvider provider{
        .capacityProviderArn = provider_arn, .name = name, .status = "ACTIVE"};
    provider.type = name;
    provider.tags.emplace();
    output.capacityProviders->push_back(std::move(provider));
  }
  co_return output;
}

}  // namespace sampan::ecs
