// DescribeServiceDeployments, ListServiceDeployments, DescribeServiceRevisions.
#include <algorithm>

#include "ecs/deployment_records.h"
#include "ecs/faults.h"
#include "ecs/paging.h"
#include "ecs/plan.h"
#include "ecs/service_api.h"
#include "ecs/service_view.h"

namespace sampan::ecs {
namespace {

using api::ecs::ServiceDeployment;

constexpr std::size_t kMostDescribed = 20;

std::vector<const TaskRow*> tasks_of(const State& state, const std::string& service_key) {
  std::vector<const TaskRow*> tasks;
  for (const auto& key : state.tasks_of(service_key)) {
    if (const auto* row = state.tasks.find(key)) tasks.push_back(row);
  }
  return tasks;
}

// Counts and the breaker's state of a deployment that is still in its service.
void add_live_facts(const State& state, const Scope& scope, ServiceDeployment& record) {
  auto rest = arn_rest(scope, *record.serviceArn);
  if (!rest) return;
  auto service_key = scope_key(scope) + std::string(rest->substr(rest->find('/') + 1));
  const auto* service = state.services.find(service_key);
  if (!service) return;
  for (const auto& deployment : service->deployments) {
    if (deployment.record_arn != record.serviceDeploymentArn) continue;
    auto tasks = tasks_of(state, service_key);
    int desired = service->service.desiredCount.value_or(0);
    record.targetServiceRevision->requestedTaskCount = desired;
    record.targetServiceRevision->runningTaskCount = running_count(tasks, deployment.id);
    record.targetServiceRevision->pendingTaskCount = pending_count(tasks, deployment.id);
    const auto& configuration = service->service.deploymentConfiguration;
    bool enabled = configuration && configuration->deploymentCircuitBreaker &&
                   configuration->deploymentCircuitBreaker->enable;
    record.deploymentCircuitBreaker = api::ecs::ServiceDeploymentCircuitBreaker{
        .status = !enabled                                  ? "DISABLED"
                  : deployment.rollout_state == "FAILED"    ? "TRIGGERED"
                  : deployment.rollout_state == "COMPLETED" ? "MONITORING_COMPLETE"
                                                            : "MONITORING",
        .failureCount = deployment.failed_tasks,
        .threshold = breaker_threshold(desired)};
  }
}

}  // namespace

EcsApi::Answer<api::ecs::DescribeServiceDeploymentsOutput> EcsApi::DescribeServiceDeployments(
    const Call& call, api::ecs::DescribeServiceDeploymentsInput input) {
  auto scope = scope_of(call);
  if (input.serviceDeploymentArns.size() > kMostDescribed) {
    invalid_parameter("serviceDeploymentArns can have at most {} items.", kMostDescribed);
  }
  api::ecs::DescribeServiceDeploymentsOutput output;
  output.serviceDeployments.emplace();
  output.failures.emplace();
  for (const auto& arn : input.serviceDeploymentArns) {
    bool mine = arn_rest(scope, arn).value_or("").starts_with("service-deployment/");
    const auto* row = mine ? state_->deployment_records.find(record_key(arn)) : nullptr;
    if (!row) {
      output.failures->push_back({.arn = arn, .reason = "MISSING"});
      continue;
    }
    auto record = *row;
    add_live_facts(*state_, scope, record);
    output.serviceDeployments->push_back(std::move(record));
  }
  co_return output;
}

EcsApi::Answer<api::ecs::DescribeServiceRevisionsOutput> EcsApi::DescribeServiceRevisions(
    const Call& call, api::ecs::DescribeServiceRevisionsInput input) {
  auto scope = scope_of(call);
  if (input.serviceRevisionArns.size() > kMostDescribed) {
    invalid_parameter("serviceRevisionArns can have at most {} items.", kMostDescribed);
  }
  api::ecs::DescribeServiceRevisionsOutput output;
  output.serviceRevisions.emplace();
  output.failures.emplace();
  for (const auto& arn : input.serviceRevisionArns) {
    bool mine = arn_rest(scope, arn).value_or("").starts_with("service-revision/");
    const auto* row = mine ? state_->revisions.find(record_key(arn)) : nullptr;
    if (row) {
      output.serviceRevisions->push_back(*row);
    } else {
      output.failures->push_back({.arn = arn, .reason = "MISSING"});
    }
  }
  co_return output;
}

EcsApi::Answer<api::ecs::ListServiceDeploymentsOutput> EcsApi::ListServiceDeployments(
    const Call& call, api::ecs::ListServiceDeploymentsInput input) {
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  auto name = member_name(scope, "service", cluster, input.service);
  auto service_key = name ? member_key(scope, cluster, *name) : std::string();
  if (!name || !state_->services.find(service_key))
    throw api::ecs::ServiceNotFoundException("Service not found.");
  using Brief = api::ecs::ServiceDeploymentBrief;
  std::vector<std::pair<std::string, Brief>> entries;
  State::each(state_->deployment_records, service_key + "/",
              [&](const std::string& key, const ServiceDeployment& row) {
                if (input.status && !input.status->empty() && !contains(input.status, *row.status)) return;
                if (input.createdAt && input.createdAt->after && *row.createdAt <= *input.createdAt->after)
                  return;
                if (input.createdAt && input.createdAt->before && *row.createdAt >= *input.createdAt->before)
                  return;
                Brief brief{.serviceDeploymentArn = row.serviceDeploymentArn,
                            .serviceArn = row.serviceArn,
                            .clusterArn = row.clusterArn,
                            .startedAt = row.startedAt,
                            .createdAt = row.createdAt,
                            .finishedAt = row.finishedAt,
                            .status = row.status,
                            .statusReason = row.statusReason};
                if (row.targetServiceRevision)
                  brief.targetServiceRevisionArn = row.targetServiceRevision->arn;
                auto order = fmt::format("{:020}/{}", row.createdAt->time_since_epoch().count(), key);
                entries.emplace_back(std::move(order), std::move(brief));
              });
  // The newest first.
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  auto page = page_of(std::move(entries), input.nextToken, input.maxResults, true);
  co_return api::ecs::ListServiceDeploymentsOutput{.serviceDeployments = std::move(page.items),
                                                   .nextToken = std::move(page.next_token)};
}

}  // namespace sampan::ecs
