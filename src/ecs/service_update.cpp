// UpdateService: what only changes how the service is held, and what starts a deployment.
#include "ecs/faults.h"
#include "ecs/launcher.h"
#include "ecs/service_api.h"
#include "ecs/service_changes.h"
#include "ecs/service_describe.h"
#include "ecs/service_rules.h"

namespace sampan::ecs {
namespace {

using api::ecs::UpdateServiceRequest;

bool same_network(const std::optional<api::ecs::NetworkConfiguration>& a,
                  const std::optional<api::ecs::NetworkConfiguration>& b) {
  return a == b;
}

void check_request(const UpdateServiceRequest& input) {
  check_controller(input.deploymentController);
  check_unsupported(input.serviceRegistries, input.serviceConnectConfiguration, input.volumeConfigurations,
                    input.vpcLatticeConfigurations);
  if (input.desiredCount) check_desired(*input.desiredCount);
  if (input.healthCheckGracePeriodSeconds && *input.healthCheckGracePeriodSeconds < 0) {
    invalid_parameter("Health check grace period must not be negative.");
  }
}

// The deployment that the request would begin: today's, with the changes in it.
DeploymentRow wanted_deployment(const ServiceRow& row, const UpdateServiceRequest& input,
                                const api::ecs::TaskDefinition& definition, const LaunchSpec& spec) {
  auto wanted = row.deployments.front();
  wanted.task_definition = *definition.taskDefinitionArn;
  if (input.networkConfiguration) wanted.network = input.networkConfiguration;
  if (input.loadBalancers) wanted.load_balancers = *input.loadBalancers;
  if (input.platformVersion) wanted.platform_version = resolve_platform(input.platformVersion);
  if (input.capacityProviderStrategy) {
    wanted.launch_type.reset();
    wanted.strategy = spec.strategy;
    if (!wanted.platform_version) wanted.platform_version = resolve_platform({});
  }
  return wanted;
}

bool starts_deployment(const DeploymentRow& now, const DeploymentRow& wanted) {
  return now.task_definition != wanted.task_definition || !same_network(now.network, wanted.network) ||
         now.platform_version != wanted.platform_version || now.load_balancers != wanted.load_balancers;
}

// What touches only the service, and tasks that are started later.
void take_settings(api::ecs::Service& service, const UpdateServiceRequest& input) {
  bool daemon = service.schedulingStrategy == "DAEMON";
  if (input.desiredCount) service.desiredCount = input.desiredCount;
  service.deploymentConfiguration =
      full_configuration(input.deploymentConfiguration, service.deploymentConfiguration, daemon);
  if (input.placementConstraints) service.placementConstraints = input.placementConstraints;
  if (input.placementStrategy) service.placementStrategy = input.placementStrategy;
  if (input.healthCheckGracePeriodSeconds) {
    service.healthCheckGracePeriodSeconds = input.healthCheckGracePeriodSeconds;
  }
  if (input.enableExecuteCommand) service.enableExecuteCommand = input.enableExecuteCommand;
  if (input.enableECSManagedTags) service.enableECSManagedTags = input.enableECSManagedTags;
  if (input.propagateTags) service.propagateTags = input.propagateTags;
  if (input.availabilityZoneRebalancing)
    service.availabilityZoneRebalancing = input.availabilityZoneRebalancing;
}

}  // namespace

EcsApi::Answer<api::ecs::UpdateServiceOutput> EcsApi::UpdateService(const Call& call,
                                                                    api::ecs::UpdateServiceInput input) {
  check_request(input);
  auto scope = scope_of(call);
  std::string cluster;
  const auto& cluster_row = cluster_of(call, input.cluster, cluster);
  auto name = member_name(scope, "service", cluster, input.service);
  auto key = name ? member_key(scope, cluster, *name) : std::string();
  const auto* row = name ? state_->services.find(key) : nullptr;
  if (!row) throw api::ecs::ServiceNotFoundException("Service not found.");
  if (!row->active()) throw api::ecs::ServiceNotActiveException("Service was not ACTIVE.");
  bool daemon = row->service.schedulingStrategy == "DAEMON";
  if (daemon && input.desiredCount) {
    invalid_parameter(
        "The daemon scheduling strategy does not support a desired count for services. Remove the "
        "desired count value and try again.");
  }
  auto configuration =
      full_configuration(input.deploymentConfiguration, row->service.deploymentConfiguration, daemon);
  if (input.deploymentConfiguration) {
    if (input.deploymentConfiguration->strategy)
      configuration.strategy = input.deploymentConfiguration->strategy;
    configuration.lifecycleHooks = input.deploymentConfiguration->lifecycleHooks;
    check_deployment_configuration(configuration, daemon);
  }

  const auto& primary = row->deployments.front();
  auto reference = input.taskDefinition.value_or(primary.task_definition);
  const auto* definition = state_->find_definition(scope, reference);
  if (!definition) client_fault("TaskDefinition not found.");
  LaunchSpec spec{.scope = scope, .cluster = cluster};
  spec.definition = definition->definition;
  spec.launch_type = primary.launch_type.value_or("");
  spec.strategy = list_or_empty(primary.strategy);
  if (input.capacityProviderStrategy) {
    spec.launch_type.clear();
    launcher_->choose_capacity(spec, cluster_row, std::nullopt, input.capacityProviderStrategy);
  }
  auto wanted = wanted_deployment(*row, input, spec.definition, spec);
  spec.network = wanted.network;
  spec.wish.execute_command = input.enableExecuteCommand.value_or(false);
  bool begins = input.forceNewDeployment.value_or(false) || starts_deployment(primary, wanted);
  // A service whose definition was deregistered may still be scaled; it cannot be deployed anew to it.
  if (begins) {
    launcher_->check(spec);
    check_load_balancers(wanted.load_balancers, spec.definition, parts_.targets);
  }
  if (input.healthCheckGracePeriodSeconds && wanted.load_balancers.empty()) {
    invalid_parameter(
        "Health check grace period is only valid for services configured to use load balancers");
  }
  if (begins) wanted.digests = launcher_->resolve_images(scope, spec.definition);

  auto changed = co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto service = tx.get(state_->services, key);
    if (!service || !service->active()) throw api::ecs::ServiceNotActiveException("Service was not ACTIVE.");
    take_settings(service->service, input);
    service->steady = false;
    if (input.capacityProviderStrategy) {
      service->service.launchType.reset();
      service->service.capacityProviderStrategy = spec.strategy;
      service->deployments.front().strategy = wanted.strategy;
      service->deployments.front().launch_type = wanted.launch_type;
    }
    if (begins) {
      service->service.taskDefinition = wanted.task_definition;
      service->service.networkConfiguration = wanted.network;
      service->service.loadBalancers = wanted.load_balancers;
      if (input.platformVersion) service->service.platformVersion = input.platformVersion;
      begin_deployment(*state_, tx, *service, wanted, parts_.ids, call.now);
    }
    tx.put(state_->services, key, *service);
    return *service;
  });
  co_return api::ecs::UpdateServiceOutput{.service = shown_service(*state_, changed, true)};
}

}  // namespace sampan::ecs
