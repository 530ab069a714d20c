// DescribeServices and ListServices.
#include "ecs/service_describe.h"

#include <algorithm>

#include "ecs/faults.h"
#include "ecs/paging.h"
#include "ecs/service_api.h"
#include "ecs/service_changes.h"
#include "ecs/service_view.h"

namespace sampan::ecs {
namespace {

constexpr std::size_t kMostDescribed = 10;

std::vector<api::ecs::ServiceEvent> events_of(const State& state, const ServiceRow& row) {
  std::vector<api::ecs::ServiceEvent> events;
  State::each(state.events, events_prefix(row),
              [&](const std::string&, const api::ecs::ServiceEvent& event) { events.push_back(event); });
  std::reverse(events.begin(), events.end());
  return events;
}

api::ecs::Deployment shown_deployment(const ServiceRow& row, const DeploymentRow& from, bool primary,
                                      const std::vector<const TaskRow*>& tasks) {
  api::ecs::Deployment deployment;
  deployment.id = from.id;
  deployment.status = primary ? "PRIMARY" : "ACTIVE";
  deployment.taskDefinition = from.task_definition;
  deployment.desiredCount = primary ? row.service.desiredCount.value_or(0) : 0;
  deployment.pendingCount = pending_count(tasks, from.id);
  deployment.runningCount = running_count(tasks, from.id);
  deployment.failedTasks = from.failed_tasks;
  deployment.createdAt = from.created_at;
  deployment.updatedAt = from.updated_at;
  deployment.capacityProviderStrategy = from.strategy;
  deployment.launchType = from.launch_type;
  deployment.platformVersion = from.platform_version;
  if (from.platform_version) deployment.platformFamily = "Linux";
  deployment.networkConfiguration = from.network;
  deployment.rolloutState = from.rollout_state;
  deployment.rolloutStateReason = from.rollout_reason;
  return deployment;
}

}  // namespace

api::ecs::Service shown_service(const State& state, const ServiceRow& row, bool with_tags) {
  auto service = row.service;
  std::vector<const TaskRow*> tasks;
  for (const auto& key : state.tasks_of(member_key(row.scope, row.cluster, row.name))) {
    if (const auto* task = state.tasks.find(key)) tasks.push_back(task);
  }
  service.runningCount = running_count(tasks, "");
  service.pendingCount = pending_count(tasks, "");
  service.deployments.emplace();
  service.currentServiceRevisions.emplace();
  for (const auto& from : row.deployments) {
    bool primary = service.deployments->empty();
    auto shown = shown_deployment(row, from, primary, tasks);
    service.currentServiceRevisions->push_back({.arn = from.revision_arn,
                                                .requestedTaskCount = shown.desiredCount,
                                                .runningTaskCount = shown.runningCount,
                                                .pendingTaskCount = shown.pendingCount});
    service.deployments->push_back(std::move(shown));
  }
  if (!row.deployments.empty()) service.currentServiceDeployment = row.deployments.front().record_arn;
  service.events = events_of(state, row);
  if (!with_tags) service.tags.reset();
  return service;
}

EcsApi::Answer<api::ecs::DescribeServicesOutput> EcsApi::DescribeServices(
    const Call& call, api::ecs::DescribeServicesInput input) {
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  if (input.services.empty()) invalid_parameter("Services cannot be empty.");
  if (input.services.size() > kMostDescribed) {
    invalid_parameter("Services can have at most {} items.", kMostDescribed);
  }
  api::ecs::DescribeServicesOutput output;
  output.services.emplace();
  output.failures.emplace();
  for (const auto& reference : input.services) {
    auto name = member_name(scope, "service", cluster, reference);
    const auto* row = name ? state_->services.find(member_key(scope, cluster, *name)) : nullptr;
    if (row) {
      output.services->push_back(shown_service(*state_, *row, contains(input.include, "TAGS")));
    } else {
      output.failures->push_back(
          {.arn = is_arn(reference) ? reference : service_arn(scope, cluster, reference),
           .reason = "MISSING"});
    }
  }
  co_return output;
}

EcsApi::Answer<api::ecs::ListServicesOutput> EcsApi::ListServices(const Call& call,
                                                                  api::ecs::ListServicesInput input) {
  constexpr int kDefaultPage = 10;
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  std::vector<std::pair<std::string, std::string>> entries;
  State::each(state_->services, cluster_key(scope, cluster) + "/",
              [&](const std::string& key, const ServiceRow& row) {
                if (!row.active()) return;
                if (input.launchType && row.service.launchType != *input.launchType) return;
                if (input.schedulingStrategy && row.service.schedulingStrategy != *input.schedulingStrategy)
                  return;
                entries.emplace_back(key, *row.service.serviceArn);
              });
  auto page = page_of(std::move(entries), input.nextToken, input.maxResults.value_or(kDefaultPage));
  co_return api::ecs::ListServicesOutput{.serviceArns = std::move(page.items),
                                         .nextToken = std::move(page.next_token)};
}

}  // namespace sampan::ecs
