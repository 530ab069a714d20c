#include "ecs/service_view.h"

#include <fmt/core.h>

#include <algorithm>

namespace sampan::ecs {
namespace {

constexpr int kMinimumPercent = 100;
constexpr int kMaximumPercent = 200;

class Eye {
 public:
  Eye(const ServiceRow& service, const SightSources& sources, core::TimePoint now)
      : service_(service), sources_(sources), now_(now) {}

  ServiceSight look(const std::vector<const TaskRow*>& tasks) {
    set_wishes();
    for (const auto* row : tasks) add_task(*row);
    if (sight_.view.next_start && *sight_.view.next_start > now_) wake_at(*sight_.view.next_start);
    return std::move(sight_);
  }

 private:
  void set_wishes() {
    auto& view = sight_.view;
    const auto& shape = service_.service;
    bool daemon = shape.schedulingStrategy == "DAEMON";
    view.desired = shape.desiredCount.value_or(0);
    view.minimum_percent = daemon ? 0 : kMinimumPercent;
    view.maximum_percent = daemon ? 100 : kMaximumPercent;
    if (const auto& wanted = shape.deploymentConfiguration) {
      view.minimum_percent = wanted->minimumHealthyPercent.value_or(view.minimum_percent);
      view.maximum_percent = wanted->maximumPercent.value_or(view.maximum_percent);
      if (wanted->deploymentCircuitBreaker) {
        view.breaker = wanted->deploymentCircuitBreaker->enable;
        view.rollback = wanted->deploymentCircuitBreaker->rollback;
      }
    }
    view.draining = !service_.active();
    if (service_.last_completed) view.rollback_to = service_.last_completed->id;
    view.start_rounds = service_.start_rounds;
    view.next_start = service_.next_start;
    view.first_gap = sources_.first_gap;
    view.longest_gap = sources_.longest_gap;
    if (service_.deployments.empty()) return;
    const auto& primary = service_.deployments.front();
    view.primary = {.id = primary.id,
                    .completed = primary.rollout_state == "COMPLETED",
                    .failed = primary.rollout_state == "FAILED",
                    .failed_tasks = primary.failed_tasks};
    for (std::size_t i = 1; i < service_.deployments.size(); ++i) {
      view.others.push_back(service_.deployments[i].id);
    }
  }

  // Known as soon as it begins to end: a replacement must wait its gap, not only the one after that.
  static bool failed_start(const TaskRow& row) {
    if (row.wanted() || row.accounted || row.healthy_at) return false;
    auto code = row.task.stopCode.value_or("");
    return code == "TaskFailedToStart" || code == "EssentialContainerExited";
  }

  void add_task(const TaskRow& row) {
    PlanTask task{.id = row.id, .deployment = row.deployment};
    task.failed_start = failed_start(row);
    if (row.stopped()) {
      if (task.failed_start) sight_.view.tasks.push_back(std::move(task));
      return;
    }
    task.ending = task.failed_start;
    task.wanted = row.wanted();
    task.was_healthy = row.healthy_at.has_value();
    task.checked = !row.targets.empty() || sources_.has_check(row);
    task.zone = row.task.availabilityZone.value_or("");
    task.created_at = row.task.createdAt.value_or(now_);
    task.fitness = row.wanted() ? fitness_of(row) : Fitness::kPending;
    sight_.view.tasks.push_back(std::move(task));
  }

  Fitness fitness_of(const TaskRow& row) {
    if (row.task.lastStatus != "RUNNING") return Fitness::kPending;
    auto started = row.task.startedAt.value_or(now_);
    bool checked = sources_.has_check(row);
    if (!checked && row.targets.empty()) {
      if (now_ >= started + sources_.healthy_after) return Fitness::kHealthy;
      wake_at(started + sources_.healthy_after);
      return Fitness::kSettling;
    }
    std::optional<Ailment> ailment;
    bool all_pass = true;
    if (checked) look_at_container(row, ailment, all_pass);
    for (const auto& target : row.targets) look_at_target(row, target, ailment, all_pass);
    if (all_pass) return Fitness::kHealthy;
    if (!ailment) return Fitness::kSettling;
    auto grace_ends =
        started + std::chrono::seconds(service_.service.healthCheckGracePeriodSeconds.value_or(0));
    if (now_ < grace_ends) {
      wake_at(grace_ends);
      return Fitness::kSettling;
    }
    sight_.ailments[row.id] = std::move(*ailment);
    return Fitness::kUnhealthy;
  }

  void look_at_container(const TaskRow& row, std::optional<Ailment>& ailment, bool& all_pass) const {
    if (row.task.healthStatus == "HEALTHY") return;
    all_pass = false;
    if (row.task.healthStatus != "UNHEALTHY") return;
    ailment = {"Task failed container health checks",
               fmt::format("(task {}) failed container health checks.", row.id)};
  }

  void look_at_target(const TaskRow& row, const TaskTarget& target, std::optional<Ailment>& ailment,
                      bool& all_pass) const {
    auto health = sources_.health({target.group_arn, row.network.address, target.port});
    if (row.registered && (health.state == "healthy" || health.state == "unavailable")) return;
    all_pass = false;
    if (!row.registered || health.state != "unhealthy") return;
    ailment = {fmt::format("Task failed ELB health checks in (target-group {})", target.group_arn),
               fmt::format("(task {}) (port {}) is unhealthy in (target-group {}) due to (reason {}).",
                           row.id, target.port, target.group_arn,
                           health.description.empty() ? "Health checks failed" : health.description)};
  }

  void wake_at(core::TimePoint time) {
    if (!sight_.wake || time < *sight_.wake) sight_.wake = time;
  }

  const ServiceRow& service_;
  const SightSources& sources_;
  core::TimePoint now_;
  ServiceSight sight_;
};

bool in_deployment(const TaskRow& row, const std::string& deployment) {
  return deployment.empty() || row.deployment == deployment;
}

}  // namespace

ServiceSight see_service(const ServiceRow& service, const std::vector<const TaskRow*>& tasks,
                         const SightSources& sources, core::TimePoint now) {
  return Eye(service, sources, now).look(tasks);
}

int running_count(const std::vector<const TaskRow*>& tasks, const std::string& deployment) {
  return static_cast<int>(std::count_if(tasks.begin(), tasks.end(), [&](const TaskRow* row) {
    return in_deployment(*row, deployment) && row->task.lastStatus == "RUNNING";
  }));
}

int pending_count(const std::vector<const TaskRow*>& tasks, const std::string& deployment) {
  return static_cast<int>(std::count_if(tasks.begin(), tasks.end(), [&](const TaskRow* row) {
    const auto& status = *row->task.lastStatus;
    return in_deployment(*row, deployment) && row->wanted() &&
           (status == "PROVISIONING" || status == "PENDING" || status == "ACTIVATING");
  }));
}

}  // namespace sampan::ecs
