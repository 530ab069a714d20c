#include "ecs/deployment_records.h"

#include "ecs/faults.h"

namespace sampan::ecs {
namespace {

bool has_ended(std::string_view status) {
  return status != "IN_PROGRESS" && status != "ROLLBACK_IN_PROGRESS";
}

api::ecs::ServiceRevision revision_of(const State& state, const ServiceRow& service,
                                      const DeploymentRow& deployment) {
  api::ecs::ServiceRevision revision;
  revision.serviceRevisionArn = deployment.revision_arn;
  revision.serviceArn = service.service.serviceArn;
  revision.clusterArn = service.service.clusterArn;
  revision.taskDefinition = deployment.task_definition;
  revision.capacityProviderStrategy = deployment.strategy;
  revision.launchType = deployment.launch_type;
  revision.platformVersion = deployment.platform_version;
  if (deployment.platform_version) revision.platformFamily = "Linux";
  revision.loadBalancers = deployment.load_balancers;
  revision.networkConfiguration = deployment.network;
  revision.guardDutyEnabled = false;
  revision.createdAt = deployment.created_at;
  revision.containerImages.emplace();
  const auto* definition = state.find_definition(service.scope, deployment.task_definition);
  if (!definition) return revision;
  for (const auto& container : list_or_empty(definition->definition.containerDefinitions)) {
    api::ecs::ContainerImage image{.containerName = container.name, .image = container.image};
    auto digest = deployment.digests.find(*container.name);
    if (digest != deployment.digests.end()) image.imageDigest = digest->second;
    revision.containerImages->push_back(std::move(image));
  }
  return revision;
}

}  // namespace

std::string record_key(const std::string& arn) {
  auto scope = arn_scope(arn);
  if (!scope) return {};
  auto rest = *arn_rest(*scope, arn);
  auto slash = rest.find('/');
  if (slash == std::string_view::npos) return {};
  return scope_key(*scope) + std::string(rest.substr(slash + 1));
}

void open_record(State& state, store::Txn& tx, const ServiceRow& service, DeploymentRow& deployment,
                 core::IdSource& ids, core::TimePoint now) {
  auto path = fmt::format("{}/{}", service.cluster, service.name);
  deployment.record_arn =
      arn(service.scope, fmt::format("service-deployment/{}/{}", path, ids.alphanumeric(21)));
  deployment.revision_arn = arn(service.scope, fmt::format("service-revision/{}/{}", path, ids.digits(19)));
  tx.put(state.revisions, record_key(deployment.revision_arn), revision_of(state, service, deployment));

  api::ecs::ServiceDeployment record;
  record.serviceDeploymentArn = deployment.record_arn;
  record.serviceArn = service.service.serviceArn;
  record.clusterArn = service.service.clusterArn;
  record.createdAt = now;
  record.startedAt = now;
  record.updatedAt = now;
  record.status = "IN_PROGRESS";
  record.deploymentConfiguration = service.service.deploymentConfiguration;
  record.targetServiceRevision = api::ecs::ServiceRevisionSummary{.arn = deployment.revision_arn};
  record.targetServiceRevision->requestedTaskCount = service.service.desiredCount;
  record.sourceServiceRevisions.emplace();
  for (const auto& other : service.deployments) {
    if (other.id == deployment.id || other.revision_arn.empty()) continue;
    record.sourceServiceRevisions->push_back({.arn = other.revision_arn});
  }
  tx.put(state.deployment_records, record_key(deployment.record_arn), record);
}

void close_record(State& state, store::Txn& tx, const DeploymentRow& deployment, std::string_view status,
                  const std::string& reason, core::TimePoint now) {
  auto key = record_key(deployment.record_arn);
  auto record = tx.get(state.deployment_records, key);
  if (!record || has_ended(*record->status)) return;
  record->status = std::string(status);
  record->statusReason = reason;
  record->updatedAt = now;
  if (has_ended(status)) record->finishedAt = now;
  if (status == "STOPPED") record->stoppedAt = now;
  if (status == "ROLLBACK_IN_PROGRESS")
    record->rollback = api::ecs::Rollback{.reason = reason, .startedAt = now};
  tx.put(state.deployment_records, key, *record);
}

}  // namespace sampan::ecs
