// CreateService and DeleteService.
#include "core/encoding.h"
#include "ecs/faults.h"
#include "ecs/launcher.h"
#include "ecs/service_api.h"
#include "ecs/service_changes.h"
#include "ecs/service_describe.h"
#include "ecs/service_reconciler.h"
#include "ecs/service_rules.h"

namespace sampan::ecs {
namespace {

using api::ecs::CreateServiceRequest;

std::string fingerprint(CreateServiceRequest input) {
  input.clientToken.reset();
  return core::sha256_hex(aws::json_encode(input));
}

DeploymentRow deployment_of(const LaunchSpec& spec, const CreateServiceRequest& input) {
  DeploymentRow deployment;
  deployment.task_definition = *spec.definition.taskDefinitionArn;
  if (!spec.launch_type.empty()) deployment.launch_type = spec.launch_type;
  if (!spec.strategy.empty()) deployment.strategy = spec.strategy;
  if (spec.launch_type != "EC2") deployment.platform_version = resolve_platform(input.platformVersion);
  deployment.network = input.networkConfiguration;
  deployment.load_balancers = list_or_empty(input.loadBalancers);
  return deployment;
}

ServiceRow new_service(const aws::Call& call, const LaunchSpec& spec, CreateServiceRequest input) {
  ServiceRow row;
  row.scope = spec.scope;
  row.cluster = spec.cluster;
  row.name = input.serviceName;
  auto& service = row.service;
  bool daemon = input.schedulingStrategy == "DAEMON";
  service.serviceArn = service_arn(spec.scope, spec.cluster, input.serviceName);
  service.serviceName = input.serviceName;
  service.clusterArn = cluster_arn(spec.scope, spec.cluster);
  service.loadBalancers = list_or_empty(input.loadBalancers);
  service.serviceRegistries.emplace();
  service.status = "ACTIVE";
  service.desiredCount = input.desiredCount.value_or(0);
  if (!spec.launch_type.empty()) service.launchType = spec.launch_type;
  if (!spec.strategy.empty()) service.capacityProviderStrategy = spec.strategy;
  if (spec.launch_type != "EC2") {
    service.platformVersion = input.platformVersion.value_or("LATEST");
    service.platformFamily = "Linux";
  }
  service.taskDefinition = spec.definition.taskDefinitionArn;
  service.deploymentConfiguration = full_configuration(input.deploymentConfiguration, {}, daemon);
  service.createdAt = call.now;
  service.placementConstraints = list_or_empty(input.placementConstraints);
  service.placementStrategy = list_or_empty(input.placementStrategy);
  service.networkConfiguration = input.networkConfiguration;
  service.healthCheckGracePeriodSeconds = input.healthCheckGracePeriodSeconds.value_or(0);
  service.schedulingStrategy = input.schedulingStrategy.value_or("REPLICA");
  service.deploymentController = api::ecs::DeploymentController{.type = "ECS"};
  service.tags = list_or_empty(input.tags);
  service.createdBy = call.principal_arn;
  service.enableECSManagedTags = input.enableECSManagedTags.value_or(false);
  service.propagateTags = input.propagateTags.value_or("NONE");
  service.enableExecuteCommand = input.enableExecuteCommand.value_or(false);
  service.availabilityZoneRebalancing = input.availabilityZoneRebalancing.value_or("DISABLED");
  row.client_token = fingerprint(std::move(input));
  return row;
}

}  // namespace

EcsApi::Answer<api::ecs::CreateServiceOutput> EcsApi::CreateService(const Call& call,
                                                                    api::ecs::CreateServiceInput input) {
  check_create_request(input);
  auto scope = scope_of(call);
  LaunchSpec spec{.scope = scope};
  const auto& cluster = cluster_of(call, input.cluster, spec.cluster);
  const auto* definition = state_->find_definition(scope, *input.taskDefinition);
  if (!definition) client_fault("TaskDefinition not found.");
  spec.definition = definition->definition;
  spec.network = input.networkConfiguration;
  spec.wish.execute_command = input.enableExecuteCommand.value_or(false);
  launcher_->choose_capacity(spec, cluster, input.launchType, input.capacityProviderStrategy);
  if (input.schedulingStrategy == "DAEMON" && spec.launch_type != "EC2") {
    invalid_parameter("The daemon scheduling strategy is not supported with the FARGATE launch type.");
  }
  launcher_->check(spec);
  check_load_balancers(list_or_empty(input.loadBalancers), spec.definition, parts_.targets);

  auto deployment = deployment_of(spec, input);
  deployment.digests = launcher_->resolve_images(scope, spec.definition);
  auto key = member_key(scope, spec.cluster, input.serviceName);
  auto fresh = new_service(call, spec, std::move(input));
  fresh.incarnation = parts_.ids.hex(8);
  auto row = co_await store::transact(state_->store, [&](store::Txn& tx) {
    if (auto known = tx.get(state_->services, key); known && !known->inactive()) {
      if (!known->active()) invalid_parameter("Unable to Start a service that is still Draining.");
      if (known->client_token != fresh.client_token)
        invalid_parameter("Creation of service was not idempotent.");
      return *known;
    } else if (known) {
      State::each(state_->events, events_prefix(*known),
                  [&](const std::string& event, const auto&) { tx.erase(state_->events, event); });
    }
    auto made = fresh;
    begin_deployment(*state_, tx, made, deployment, parts_.ids, call.now);
    tx.put(state_->services, key, made);
    return made;
  });
  co_return api::ecs::CreateServiceOutput{.service = shown_service(*state_, row, true)};
}

EcsApi::Answer<api::ecs::DeleteServiceOutput> EcsApi::DeleteService(const Call& call,
                                                                    api::ecs::DeleteServiceInput input) {
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  auto name = member_name(scope, "service", cluster, input.service);
  auto key = name ? member_key(scope, cluster, *name) : std::string();
  auto row = co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto known = name ? tx.get(state_->services, key) : std::nullopt;
    if (!known || known->inactive()) throw api::ecs::ServiceNotFoundException("Service not found.");
    if (!known->active()) return *known;
    bool replica = known->service.schedulingStrategy != "DAEMON";
    if (replica && known->service.desiredCount.value_or(0) > 0 && !input.force.value_or(false)) {
      invalid_parameter("The service cannot be stopped while it is scaled above 0.");
    }
    known->service.status = "DRAINING";
    known->service.desiredCount = 0;
    known->steady = false;
    tx.put(state_->services, key, *known);
    return *known;
  });
  co_return api::ecs::DeleteServiceOutput{.service = shown_service(*state_, row, false)};
}

}  // namespace sampan::ecs
