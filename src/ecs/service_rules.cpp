#include "ecs/service_rules.h"

#include <algorithm>

#include "ecs/definition_rules.h"
#include "ecs/deployment_records.h"
#include "ecs/faults.h"
#include "ecs/service_changes.h"

namespace sampan::ecs {
namespace {

constexpr int kMostTasks = 5000;
constexpr std::size_t kMostBalancers = 5;
constexpr std::size_t kMaxToken = 36;

[[noreturn]] void cannot(std::string_view what) {
  client_fault("The service uses {}, which this Sampan cannot run.", what);
}

const api::ecs::ContainerDefinition* find_container(const api::ecs::TaskDefinition& definition,
                                                    const std::string& name) {
  for (const auto& container : list_or_empty(definition.containerDefinitions)) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

void check_container_port(const api::ecs::LoadBalancer& balancer,
                          const api::ecs::TaskDefinition& definition) {
  auto name = balancer.containerName.value_or("");
  int port = balancer.containerPort.value_or(0);
  const auto* container = find_container(definition, name);
  if (!container) invalid_parameter("The container {} does not exist in the task definition.", name);
  const auto& ports = list_or_empty(container->portMappings);
  if (std::none_of(ports.begin(), ports.end(), [port](const auto& p) { return p.containerPort == port; })) {
    invalid_parameter("The container {} did not have a container port {} defined.", name, port);
  }
}

}  // namespace

void check_desired(int desired) {
  if (desired < 0) invalid_parameter("Desired count must not be negative.");
  if (desired > kMostTasks) invalid_parameter("Desired count must be at most {}.", kMostTasks);
}

void check_controller(const std::optional<api::ecs::DeploymentController>& controller) {
  if (!controller || controller->type == "ECS") return;
  throw api::ecs::UnsupportedFeatureException("The deployment controller " + controller->type +
                                              " is not supported here: use ECS.");
}

void check_deployment_configuration(const std::optional<api::ecs::DeploymentConfiguration>& wanted,
                                    bool daemon) {
  if (!wanted) return;
  if (wanted->strategy.value_or("ROLLING") != "ROLLING") {
    throw api::ecs::UnsupportedFeatureException("The deployment strategy " + *wanted->strategy +
                                                " is not supported here: use ROLLING.");
  }
  if (wanted->alarms && wanted->alarms->enable) cannot("deploymentConfiguration.alarms");
  if (!list_or_empty(wanted->lifecycleHooks).empty()) cannot("deploymentConfiguration.lifecycleHooks");
  int least = wanted->minimumHealthyPercent.value_or(daemon ? 0 : 100);
  int most = wanted->maximumPercent.value_or(daemon ? 100 : 200);
  if (least < 0 || least > 100) invalid_parameter("minimumHealthyPercent must be between 0 and 100.");
  if (most < 100 || most > 10000) invalid_parameter("maximumPercent must be at least 100.");
  if (least == 100 && most == 100) {
    invalid_parameter(
        "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.");
  }
}

void check_unsupported(const std::optional<std::vector<api::ecs::ServiceRegistry>>& registries,
                       const std::optional<api::ecs::ServiceConnectConfiguration>& connect,
                       const std::optional<std::vector<api::ecs::ServiceVolumeConfiguration>>& volumes,
                       const std::optional<std::vector<api::ecs::VpcLatticeConfiguration>>& lattice) {
  if (!list_or_empty(registries).empty()) cannot("serviceRegistries");
  if (connect && connect->enabled) cannot("serviceConnectConfiguration");
  if (!list_or_empty(volumes).empty()) cannot("volumeConfigurations");
  if (!list_or_empty(lattice).empty()) cannot("vpcLatticeConfigurations");
}

void check_create_request(const api::ecs::CreateServiceRequest& input) {
  if (!valid_name(input.serviceName)) {
    invalid_parameter(
        "Service name must contain only up to 255 letters (uppercase and lowercase), numbers, underscores "
        "and "
        "hyphens.");
  }
  if (input.clientToken && input.clientToken->size() > kMaxToken) {
    invalid_parameter("clientToken can have at most {} characters.", kMaxToken);
  }
  if (!input.taskDefinition || input.taskDefinition->empty())
    invalid_parameter("TaskDefinition can not be blank.");
  bool daemon = input.schedulingStrategy == "DAEMON";
  if (daemon && input.desiredCount) {
    invalid_parameter(
        "The daemon scheduling strategy does not support a desired count for services. Remove the desired "
        "count "
        "value and try again.");
  }
  if (!daemon && !input.desiredCount) invalid_parameter("desiredCount is required for REPLICA services.");
  check_desired(input.desiredCount.value_or(0));
  check_controller(input.deploymentController);
  check_deployment_configuration(input.deploymentConfiguration, daemon);
  check_unsupported(input.serviceRegistries, input.serviceConnectConfiguration, input.volumeConfigurations,
                    input.vpcLatticeConfigurations);
  bool balanced = !list_or_empty(input.loadBalancers).empty();
  if (input.role && !balanced) invalid_parameter("A role was passed, but no load balancers were present.");
  if (input.role) {
    invalid_parameter("You cannot specify an IAM role for services that require a service linked role.");
  }
  if (input.healthCheckGracePeriodSeconds && !balanced) {
    invalid_parameter(
        "Health check grace period is only valid for services configured to use load balancers");
  }
  if (input.healthCheckGracePeriodSeconds && *input.healthCheckGracePeriodSeconds < 0) {
    invalid_parameter("Health check grace period must not be negative.");
  }
  check_tags(input.tags);
}

void check_load_balancers(const std::vector<api::ecs::LoadBalancer>& balancers,
                          const api::ecs::TaskDefinition& definition, const elb::Targets& targets) {
  if (balancers.size() > kMostBalancers) {
    invalid_parameter("load balancers can have at most {} items.", kMostBalancers);
  }
  for (const auto& balancer : balancers) {
    if (!balancer.targetGroupArn) cannot("a classic load balancer");
    if (balancer.advancedConfiguration) cannot("loadBalancers.advancedConfiguration");
    const auto& arn = *balancer.targetGroupArn;
    auto group = targets.group(arn);
    if (!group) invalid_parameter("The target group {} does not exist.", arn);
    if (definition.networkMode != "awsvpc") {
      cannot("a load balancer with a task definition whose networkMode is not awsvpc");
    }
    if (group->target_type != "ip") {
      invalid_parameter(
          "The provided target group {} has target type {}, which is incompatible with the awsvpc network "
          "mode "
          "specified in the task definition.",
          arn, group->target_type);
    }
    if (!group->has_load_balancer) {
      invalid_parameter("The target group with targetGroupArn {} does not have an associated load balancer.",
                        arn);
    }
    check_container_port(balancer, definition);
  }
}

api::ecs::DeploymentConfiguration full_configuration(
    const std::optional<api::ecs::DeploymentConfiguration>& wanted,
    const std::optional<api::ecs::DeploymentConfiguration>& before, bool daemon) {
  auto full = before.value_or(api::ecs::DeploymentConfiguration{});
  if (wanted) {
    if (wanted->deploymentCircuitBreaker) full.deploymentCircuitBreaker = wanted->deploymentCircuitBreaker;
    if (wanted->maximumPercent) full.maximumPercent = wanted->maximumPercent;
    if (wanted->minimumHealthyPercent) full.minimumHealthyPercent = wanted->minimumHealthyPercent;
    if (wanted->alarms) full.alarms = wanted->alarms;
    if (wanted->bakeTimeInMinutes) full.bakeTimeInMinutes = wanted->bakeTimeInMinutes;
  }
  if (!full.deploymentCircuitBreaker) {
    full.deploymentCircuitBreaker = api::ecs::DeploymentCircuitBreaker{.enable = false, .rollback = false};
  }
  if (!full.maximumPercent) full.maximumPercent = daemon ? 100 : 200;
  if (!full.minimumHealthyPercent) full.minimumHealthyPercent = daemon ? 0 : 100;
  full.strategy = "ROLLING";
  return full;
}

void begin_deployment(State& state, store::Txn& tx, ServiceRow& row, DeploymentRow deployment,
                      core::IdSource& ids, core::TimePoint now) {
  deployment.id = "ecs-svc/" + ids.digits(19);
  deployment.created_at = now;
  deployment.updated_at = now;
  deployment.rollout_state = "IN_PROGRESS";
  deployment.rollout_reason = in_progress_text(deployment.id);
  deployment.failed_tasks = 0;
  deployment.rollback = false;
  if (!row.deployments.empty()) {
    close_record(state, tx, row.deployments.front(), "STOPPED", "A newer deployment of the service began.",
                 now);
  }
  row.deployments.insert(row.deployments.begin(), std::move(deployment));
  open_record(state, tx, row, row.deployments.front(), ids, now);
  row.start_rounds = 0;
  row.next_start.reset();
  row.steady = false;
  row.last_trouble.clear();
}

}  // namespace sampan::ecs
