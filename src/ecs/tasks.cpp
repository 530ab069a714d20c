// DescribeTasks and ListTasks.
#include "ecs/faults.h"
#include "ecs/paging.h"
#include "ecs/service_api.h"
#include "ecs/state.h"

namespace sampan::ecs {
namespace {

constexpr std::size_t kMostDescribed = 100;

// Everything ListTasks can filter by, resolved once.
struct TaskFilter {
  std::string desired;
  std::optional<std::string> family, started_by, service, launch_type, instance_arn;

  bool passes(const TaskRow& row) const {
    if (row.task.desiredStatus != desired) return false;
    if (family && row.family != *family) return false;
    if (started_by && row.task.startedBy != *started_by) return false;
    if (service && row.service != *service) return false;
    if (launch_type && row.task.launchType != *launch_type) return false;
    return !instance_arn || row.task.containerInstanceArn == *instance_arn;
  }
};

}  // namespace

EcsApi::Answer<api::ecs::DescribeTasksOutput> EcsApi::DescribeTasks(const Call& call,
                                                                    api::ecs::DescribeTasksInput input) {
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  if (input.tasks.empty()) invalid_parameter("Tasks cannot be empty.");
  if (input.tasks.size() > kMostDescribed)
    invalid_parameter("tasks can have at most {} items.", kMostDescribed);
  bool with_tags = contains(input.include, "TAGS");
  api::ecs::DescribeTasksOutput output;
  output.tasks.emplace();
  output.failures.emplace();
  for (const auto& reference : input.tasks) {
    auto id = member_name(scope, "task", cluster, reference);
    const auto* row = id ? state_->tasks.find(member_key(scope, cluster, *id)) : nullptr;
    if (row) {
      auto& task = output.tasks->emplace_back(row->task);
      if (!with_tags || !task.tags) task.tags.emplace();
    } else {
      output.failures->push_back(
          {.arn = is_arn(reference) ? reference : task_arn(scope, cluster, reference), .reason = "MISSING"});
    }
  }
  co_return output;
}

EcsApi::Answer<api::ecs::ListTasksOutput> EcsApi::ListTasks(const Call& call,
                                                            api::ecs::ListTasksInput input) {
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  TaskFilter filter{.desired = input.desiredStatus.value_or("RUNNING"),
                    .family = input.family,
                    .started_by = input.startedBy,
                    .launch_type = input.launchType};
  if (input.serviceName) {
    auto name = member_name(scope, "service", cluster, *input.serviceName);
    if (!name || !state_->services.find(member_key(scope, cluster, *name))) {
      throw api::ecs::ServiceNotFoundException("Service not found.");
    }
    filter.service = *name;
  }
  if (input.containerInstance) {
    auto id = member_name(scope, "container-instance", cluster, *input.containerInstance);
    if (!id)
      invalid_parameter(
          "The specified container instance is invalid. Specify a valid container instance ID.");
    filter.instance_arn = instance_arn(scope, cluster, *id);
  }
  std::vector<std::pair<std::string, std::string>> entries;
  State::each(state_->tasks, cluster_key(scope, cluster) + "/",
              [&](const std::string& key, const TaskRow& row) {
                if (filter.passes(row)) entries.emplace_back(key, *row.task.taskArn);
              });
  auto page = page_of(std::move(entries), input.nextToken, input.maxResults);
  co_return api::ecs::ListTasksOutput{.taskArns = std::move(page.items),
                                      .nextToken = std::move(page.next_token)};
}

}  // namespace sampan::ecs
