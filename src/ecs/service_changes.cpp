#include "ecs/service_changes.h"

#include "core/text.h"
#include "ecs/deployment_records.h"
#include "ecs/faults.h"
#include "ecs/task_state.h"

namespace sampan::ecs {
namespace {

constexpr int kMaxEvents = 100;
constexpr auto kRepeatTrouble = std::chrono::hours(6);
constexpr auto kRetryPlacement = std::chrono::seconds(5);

std::string task_list(const std::vector<TaskRow>& tasks) {
  std::string text;
  for (const auto& task : tasks) text += fmt::format(" (task {})", task.id);
  return text;
}

std::vector<Tag> managed_tags(const ServiceRow& row) {
  return {{.key = "aws:ecs:clusterName", .value = row.cluster},
          {.key = "aws:ecs:serviceName", .value = row.name}};
}

}  // namespace

std::vector<TaskTarget> targets_of(const std::vector<api::ecs::LoadBalancer>& balancers) {
  std::vector<TaskTarget> targets;
  for (const auto& balancer : balancers) {
    if (!balancer.targetGroupArn) continue;
    targets.push_back(
        {*balancer.targetGroupArn, balancer.containerName.value_or(""), balancer.containerPort.value_or(0)});
  }
  return targets;
}

std::string in_progress_text(const std::string& deployment) {
  return fmt::format("ECS deployment {} in progress.", deployment);
}

std::string events_prefix(const ServiceRow& row) {
  return member_key(row.scope, row.cluster, row.name) + "/" + row.incarnation + "/";
}

void tell_event(State& state, store::Txn& tx, ServiceRow& row, core::IdSource& ids,
                const std::string& message, core::TimePoint now) {
  auto key = [&row](std::int64_t number) { return fmt::format("{}{:012}", events_prefix(row), number); };
  api::ecs::ServiceEvent event{.id = ids.uuid(), .createdAt = now};
  event.message = fmt::format("(service {}) {}", row.name, message);
  tx.put(state.events, key(row.events), event);
  if (row.events >= kMaxEvents) tx.erase(state.events, key(row.events - kMaxEvents));
  ++row.events;
}

ServiceChanges::ServiceChanges(State& state, Launcher& launcher, core::IdSource& ids, store::Txn& tx,
                               ServiceRow row, core::TimePoint now)
    : state_(state), launcher_(launcher), ids_(ids), tx_(tx), row_(std::move(row)), now_(now) {}

void ServiceChanges::save() {
  if (changed_) tx_.put(state_.services, member_key(row_.scope, row_.cluster, row_.name), row_);
}

std::string ServiceChanges::task_key(const std::string& id) const {
  return member_key(row_.scope, row_.cluster, id);
}

void ServiceChanges::tell(const std::string& message) {
  tell_event(state_, tx_, row_, ids_, message, now_);
  changed_ = true;
}

void ServiceChanges::trouble(const std::string& message) {
  if (row_.last_trouble == message && now_ < row_.last_trouble_at + kRepeatTrouble) return;
  row_.last_trouble = message;
  row_.last_trouble_at = now_;
  tell(message);
}

void ServiceChanges::mark_joined(const std::set<std::string>& keys) {
  std::map<std::string, int> joined;
  for (const auto& key : keys) {
    auto task = tx_.get(state_.tasks, key);
    if (!task || !task->wanted() || task->registered) continue;
    task->registered = true;
    tx_.put(state_.tasks, key, *task);
    for (const auto& target : task->targets) ++joined[target.group_arn];
  }
  for (const auto& [group, count] : joined) {
    tell(fmt::format("registered {} targets in (target-group {})", count, group));
  }
}

void ServiceChanges::set_desired(int count) {
  if (row_.service.desiredCount == count) return;
  row_.service.desiredCount = count;
  changed_ = true;
}

void ServiceChanges::apply(const ServicePlan& plan, const ServiceSight& sight) {
  record_health(plan);
  count_failed(plan);
  if (!row_.deployments.empty() && row_.deployments.front().failed_tasks != plan.failed_tasks) {
    row_.deployments.front().failed_tasks = plan.failed_tasks;
    row_.deployments.front().updated_at = now_;
    changed_ = true;
  }
  if (row_.start_rounds != plan.start_rounds || row_.next_start != plan.next_start) {
    row_.start_rounds = plan.start_rounds;
    row_.next_start = plan.next_start;
    changed_ = true;
  }
  if (plan.fail) return fail(plan);
  stop(plan, sight);
  if (plan.start > 0) start(plan);
  conclude(plan);
}

void ServiceChanges::record_health(const ServicePlan& plan) {
  for (const auto& id : plan.now_healthy) {
    auto task = tx_.get(state_.tasks, task_key(id));
    if (!task || task->healthy_at) continue;
    task->healthy_at = now_;
    tx_.put(state_.tasks, task_key(id), *task);
  }
}

void ServiceChanges::count_failed(const ServicePlan& plan) {
  for (const auto& id : plan.counted) {
    auto task = tx_.get(state_.tasks, task_key(id));
    if (!task || task->accounted) continue;
    task->accounted = true;
    tx_.put(state_.tasks, task_key(id), *task);
  }
}

void ServiceChanges::stop(const ServicePlan& plan, const ServiceSight& sight) {
  std::vector<TaskRow> running;
  int pending = 0;
  for (const auto& planned : plan.stop) {
    auto task = tx_.get(state_.tasks, task_key(planned.id));
    if (!task || !task->wanted()) continue;
    auto reason = fmt::format("Scaling activity initiated by (deployment {})",
                              row_.deployments.empty() ? task->deployment : row_.deployments.front().id);
    if (auto ailment = sight.ailments.find(planned.id);
        planned.cause == StopCause::kUnhealthy && ailment != sight.ailments.end()) {
      reason = ailment->second.stopped_reason;
      tell(ailment->second.event);
    }
    bool was_running = task->task.lastStatus == "RUNNING";
    want_stopped(*task, "ServiceSchedulerInitiated", reason, now_);
    task->accounted = true;
    tx_.put(state_.tasks, task_key(planned.id), *task);
    ended_.push_back(task_key(planned.id));
    if (was_running) {
      running.push_back(std::move(*task));
    } else {
      ++pending;
    }
  }
  tell_stops(running, pending);
}

void ServiceChanges::tell_stops(const std::vector<TaskRow>& running, int pending) {
  std::map<std::string, int> groups;
  int draining = 0;
  for (const auto& task : running) {
    if (!task.registered) continue;
    ++draining;
    for (const auto& target : task.targets) ++groups[target.group_arn];
  }
  for (const auto& [group, count] : groups) {
    tell(fmt::format("deregistered {} targets in (target-group {})", count, group));
  }
  if (draining > 0) tell(fmt::format("has begun draining connections on {} tasks.", draining));
  if (!running.empty()) {
    tell(fmt::format("has stopped {} running tasks:{}.", running.size(), task_list(running)));
  }
  if (pending > 0) tell(fmt::format("stopped {} pending tasks.", pending));
}

LaunchSpec ServiceChanges::spec() const {
  const auto& deployment = row_.deployments.front();
  LaunchSpec spec{.scope = row_.scope, .cluster = row_.cluster};
  const auto* definition = state_.find_definition(row_.scope, deployment.task_definition);
  if (!definition) throw core::Error("starting a service's tasks", "its task definition is gone");
  spec.definition = definition->definition;
  spec.launch_type = deployment.launch_type.value_or("");
  spec.strategy = list_or_empty(deployment.strategy);
  spec.network = deployment.network;
  auto& wish = spec.wish;
  wish.scope = row_.scope;
  wish.cluster = row_.cluster;
  wish.platform_version = deployment.platform_version.value_or("1.4.0");
  wish.group = "service:" + row_.name;
  wish.started_by = deployment.id;
  wish.service = row_.name;
  wish.deployment = deployment.id;
  wish.execute_command = row_.service.enableExecuteCommand.value_or(false);
  wish.targets = targets_of(deployment.load_balancers);
  wish.digests = deployment.digests;
  auto propagate = row_.service.propagateTags.value_or("NONE");
  if (propagate == "SERVICE") wish.tags = list_or_empty(row_.service.tags);
  if (propagate == "TASK_DEFINITION") wish.tags = definition->tags;
  if (row_.service.enableECSManagedTags.value_or(false)) {
    for (auto& tag : managed_tags(row_)) wish.tags.push_back(std::move(tag));
  }
  // An image of another registry is fixed by the first task that pulled it.
  for (const auto& key : state_.tasks_of(member_key(row_.scope, row_.cluster, row_.name))) {
    const auto* task = state_.tasks.find(key);
    if (!task || task->deployment != deployment.id) continue;
    for (const auto& container : list_or_empty(task->task.containers)) {
      if (container.imageDigest) wish.digests.emplace(*container.name, *container.imageDigest);
    }
  }
  for (const auto& container : *spec.definition.containerDefinitions) {
    if (container.versionConsistency == "disabled") wish.digests.erase(*container.name);
  }
  return spec;
}

void ServiceChanges::start(const ServicePlan& plan) {
  auto launched = launcher_.launch(tx_, spec(), plan.start, now_);
  if (!launched.tasks.empty()) {
    auto message = fmt::format("has started {} tasks:{}.", launched.tasks.size(), task_list(launched.tasks));
    if (plan.replaced_unhealthy > 0) {
      message +=
          fmt::format(" Amazon ECS replaced {} tasks due to an unhealthy status.", plan.replaced_unhealthy);
    }
    tell(message);
  }
  for (const auto& task : launched.tasks) started_.push_back(task_key(task.id));
  if (!launched.unplaced) return;
  trouble(launched.unplaced->trouble);
  row_.next_start = now_ + kRetryPlacement;
  changed_ = true;
}

void ServiceChanges::conclude(const ServicePlan& plan) {
  for (const auto& id : plan.retire) {
    std::erase_if(row_.deployments, [&](const auto& deployment) { return deployment.id == id; });
    changed_ = true;
  }
  if (plan.stuck) {
    trouble(
        "was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. "
        "Update the minimumHealthyPercent or maximumPercent value and try again.");
  }
  if (plan.impaired) {
    trouble(
        "is unable to consistently start tasks successfully. For more information, see the Troubleshooting "
        "section "
        "of the Amazon ECS Developer Guide.");
  }
  if (plan.complete) {
    auto& primary = row_.deployments.front();
    primary.rollout_state = "COMPLETED";
    primary.rollout_reason = fmt::format("ECS deployment {} completed.", primary.id);
    primary.updated_at = now_;
    row_.last_completed = primary;
    close_record(state_, tx_, primary, primary.rollback ? "ROLLBACK_SUCCESSFUL" : "SUCCESSFUL",
                 primary.rollout_reason, now_);
    tell(fmt::format("(deployment {}) deployment completed.", primary.id));
  }
  if (plan.steady != row_.steady) {
    row_.steady = plan.steady;
    changed_ = true;
    if (plan.steady) {
      row_.last_trouble.clear();
      tell("has reached a steady state.");
    }
  }
  if (plan.gone) {
    row_.service.status = "INACTIVE";
    row_.inactive_at = now_;
    row_.deployments.clear();
    changed_ = true;
  }
}

// The primary has failed for good. Rolling back makes the last completed deployment the primary again.
void ServiceChanges::fail(const ServicePlan& plan) {
  auto& failed = row_.deployments.front();
  failed.rollout_state = "FAILED";
  failed.rollout_reason = "ECS deployment circuit breaker: tasks failed to start.";
  failed.updated_at = now_;
  row_.steady = false;
  tell(fmt::format("(deployment {}) deployment failed: tasks failed to start.", failed.id));
  if (!plan.roll_back_to || !row_.last_completed) {
    close_record(state_, tx_, failed, failed.rollback ? "ROLLBACK_FAILED" : "STOPPED", failed.rollout_reason,
                 now_);
    return;
  }
  close_record(state_, tx_, failed, "ROLLBACK_IN_PROGRESS", failed.rollout_reason, now_);
  auto target = *std::exchange(row_.last_completed, std::nullopt);
  tell(fmt::format("rolling back to deployment {}.", target.id));
  std::erase_if(row_.deployments, [&](const auto& deployment) { return deployment.id == target.id; });
  target.rollout_state = "IN_PROGRESS";
  target.rollout_reason = in_progress_text(target.id);
  target.failed_tasks = 0;
  target.updated_at = now_;
  target.rollback = true;
  // The record of the deployment that failed tells how the rollback ends.
  target.record_arn = failed.record_arn;
  row_.service.taskDefinition = target.task_definition;
  row_.service.networkConfiguration = target.network;
  row_.service.loadBalancers = target.load_balancers;
  row_.deployments.insert(row_.deployments.begin(), std::move(target));
}

}  // namespace sampan::ecs
