#include "node/lifecycle.h"

#include "core/text.h"

namespace sampan::node {
namespace {

using core::Millis;
using core::TimePoint;
using Kind = Action::Kind;

enum class Dependable { kMet, kUnmet, kNever };

void wake(Plan& plan, TimePoint at) {
  if (!plan.wake_at || at < *plan.wake_at) plan.wake_at = at;
}

std::optional<std::size_t> find(const TaskAssignment& task, const std::string& name) {
  for (std::size_t i = 0; i < task.containers.size(); ++i) {
    if (task.containers[i].name == name) return i;
  }
  return std::nullopt;
}

// AWS-SEMANTICS A01.
Dependable judge(const std::string& condition, const ContainerFacts& on) {
  bool stopped = on.stage == Stage::kStopped;
  if (stopped && on.failed) return Dependable::kNever;
  if (condition == "START") {
    return stopped || on.stage == Stage::kRunning ? Dependable::kMet : Dependable::kUnmet;
  }
  if (condition == "HEALTHY") {
    if (stopped) return Dependable::kNever;
    bool healthy = on.stage == Stage::kRunning && on.health.status == Health::kHealthy;
    return healthy ? Dependable::kMet : Dependable::kUnmet;
  }
  if (!stopped) return Dependable::kUnmet;
  if (!on.exit_code) return Dependable::kNever;
  if (condition == "COMPLETE" || *on.exit_code == 0) return Dependable::kMet;
  return Dependable::kNever;
}

// As Go prints durations: "45s", "1m30s", "2m0s".
std::string go_duration(int seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  return fmt::format("{}m{}s", seconds / 60, seconds % 60);
}

Action stop_task(std::string code, std::string reason) {
  Action action{Kind::kStopTask, 0, "", ""};
  action.stop_code = std::move(code);
  action.reason = std::move(reason);
  return action;
}

std::optional<Action> essential_ended(const TaskAssignment& task, const TaskFacts& facts) {
  std::size_t stopped = 0;
  for (std::size_t i = 0; i < task.containers.size(); ++i) {
    const auto& container = facts.containers[i];
    if (container.stage != Stage::kStopped) continue;
    ++stopped;
    if (!task.containers[i].essential) continue;
    if (container.failed) return stop_task("TaskFailedToStart", container.reason);
    return stop_task("EssentialContainerExited", "Essential container in task exited");
  }
  if (stopped == task.containers.size()) {
    return stop_task("EssentialContainerExited", "Essential container in task exited");
  }
  return std::nullopt;
}

// Not yet run, so its dependencies still matter.
bool before_start(Stage stage) {
  return stage == Stage::kWaiting || stage == Stage::kPulling || stage == Stage::kPulled;
}

// Why the task must end because `container` can never start, or nothing.
std::optional<Action> hopeless(const TaskAssignment& task, const TaskFacts& facts, std::size_t container,
                               TimePoint now, Plan& plan) {
  for (const auto& dependency : task.containers[container].depends_on) {
    auto on = find(task, dependency.container);
    if (!on) continue;
    auto verdict = judge(dependency.condition, facts.containers[*on]);
    if (verdict == Dependable::kMet) continue;
    if (verdict == Dependable::kNever) {
      return stop_task(
          "TaskFailedToStart",
          "TaskDependencyError: Task dependencies cannot be resolved, taskArn: " + task.task_arn);
    }
    const auto& limit = task.containers[*on].start_timeout_seconds;
    const auto& started = facts.containers[*on].started_at;
    if (!limit || !started || dependency.condition == "START") continue;
    auto deadline = *started + std::chrono::seconds(*limit);
    if (now < deadline) {
      wake(plan, deadline);
      continue;
    }
    return stop_task(
        "TaskFailedToStart",
        fmt::format("{}: Could not transition to {}; timed out after waiting {}",
                    task.launch_type == "FARGATE" ? "ContainerRuntimeTimeoutError" : "DockerTimeoutError",
                    dependency.condition, go_duration(*limit)));
  }
  return std::nullopt;
}

bool may_start(const TaskAssignment& task, const TaskFacts& facts, std::size_t container) {
  if (!facts.sandbox_ready) return false;
  for (const auto& dependency : task.containers[container].depends_on) {
    auto on = find(task, dependency.container);
    if (on && judge(dependency.condition, facts.containers[*on]) != Dependable::kMet) return false;
  }
  // Its mounts are the other's, so the other must have them.
  for (const auto& [name, read_only] : task.containers[container].volumes_from) {
    auto from = find(task, name);
    if (from && *from != container && facts.containers[*from].stage < Stage::kPulled) return false;
  }
  return true;
}

void plan_health(const ContainerAssignment& container, const ContainerFacts& facts, std::size_t index,
                 TimePoint now, Plan& plan) {
  if (!container.health_check || facts.health.checking || !facts.started_at) return;
  auto last = facts.health.checked_at.value_or(*facts.started_at);
  auto due = last + std::chrono::seconds(container.health_check->interval_seconds);
  if (now >= due) {
    plan.actions.push_back({Kind::kCheckHealth, index, "", ""});
  } else {
    wake(plan, due);
  }
}

Plan plan_running(const TaskAssignment& task, const TaskFacts& facts, TimePoint now) {
  Plan plan;
  if (!facts.sandbox_error.empty()) {
    plan.actions.push_back(stop_task("TaskFailedToStart", facts.sandbox_error));
    return plan;
  }
  if (auto end = essential_ended(task, facts)) {
    plan.actions.push_back(std::move(*end));
    return plan;
  }
  for (std::size_t i = 0; i < task.containers.size(); ++i) {
    if (!before_start(facts.containers[i].stage)) continue;
    auto end = hopeless(task, facts, i, now, plan);
    if (!end) continue;
    plan.actions = {std::move(*end)};
    return plan;
  }
  for (std::size_t i = 0; i < task.containers.size(); ++i) {
    const auto& container = facts.containers[i];
    if (container.stage == Stage::kWaiting) plan.actions.push_back({Kind::kPull, i, "", ""});
    if (container.stage == Stage::kPulled && may_start(task, facts, i)) {
      plan.actions.push_back({Kind::kStart, i, "", ""});
    }
    if (container.stage == Stage::kRunning) plan_health(task.containers[i], container, i, now, plan);
  }
  return plan;
}

// Somebody who depends on it still stands: dependants stop first (T42).
bool needed(const TaskAssignment& task, const TaskFacts& facts, std::size_t container) {
  for (std::size_t i = 0; i < task.containers.size(); ++i) {
    auto stage = facts.containers[i].stage;
    if (i == container || (stage != Stage::kRunning && stage != Stage::kStarting)) continue;
    for (const auto& dependency : task.containers[i].depends_on) {
      if (dependency.container == task.containers[container].name) return true;
    }
  }
  return false;
}

Plan plan_stopping(const TaskAssignment& task, const TaskFacts& facts, TimePoint now) {
  Plan plan;
  bool all_stopped = true;
  for (std::size_t i = 0; i < task.containers.size(); ++i) {
    const auto& container = facts.containers[i];
    if (container.stage == Stage::kStopped) continue;
    all_stopped = false;
    if (before_start(container.stage)) plan.actions.push_back({Kind::kSkip, i, "", ""});
    if (container.stage != Stage::kRunning) continue;
    if (!container.terminated_at) {
      if (!needed(task, facts, i)) plan.actions.push_back({Kind::kTerminate, i, "", ""});
      continue;
    }
    if (container.killed) continue;
    auto deadline = *container.terminated_at + stop_timeout(task.containers[i]);
    if (now >= deadline) {
      plan.actions.push_back({Kind::kKill, i, "", ""});
    } else {
      wake(plan, deadline);
    }
  }
  if (all_stopped && !facts.sandbox_busy) plan.actions.push_back({Kind::kFinish, 0, "", ""});
  return plan;
}

}  // namespace

Plan plan_task(const TaskAssignment& task, const TaskFacts& facts, TimePoint now) {
  return facts.stop_wanted ? plan_stopping(task, facts, now) : plan_running(task, facts, now);
}

void apply_health_result(HealthFacts& health, const HealthCheck& check, TimePoint container_started,
                         TimePoint begun, TimePoint ended, bool passed) {
  health.checking = false;
  health.checked_at = ended;
  if (passed) {
    health.failures = 0;
    health.status = Health::kHealthy;
    return;
  }
  // A success inside the start period ends it (A05): from then on failures count.
  bool in_start_period = health.status == Health::kUnknown && health.failures == 0 &&
                         begun < container_started + std::chrono::seconds(check.start_period_seconds);
  if (in_start_period) return;
  if (++health.failures >= check.retries) health.status = Health::kUnhealthy;
}

Millis stop_timeout(const ContainerAssignment& container) {
  return std::chrono::seconds(container.stop_timeout_seconds.value_or(30));
}

}  // namespace sampan::node
