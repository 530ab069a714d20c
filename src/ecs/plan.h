// The service scheduler's mind: what to start, stop and say next, from what a service wants and what its
// tasks do. Pure: no clock, no store, no log; tables, properties and a simulation test it.
//
//   lower = ceil(desired × minimumHealthyPercent / 100): healthy tasks that must stay
//   upper = floor(desired × maximumPercent / 100): tasks wanted at once that must not be passed
//
// A task counts as healthy when it runs and its container check and all its targets pass; without either,
// when it has run for `healthy_after`. A task that is being drained or stopped counts for nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"

namespace sampan::ecs {

enum class Fitness {
  kPending,   // does not run yet
  kSettling,  // runs, no verdict yet
  kHealthy,
  kUnhealthy,  // failed a check, past the grace period
};

struct PlanTask {
  std::string id;
  std::string deployment;
  Fitness fitness = Fitness::kPending;
  bool checked = false;       // by a load balancer or a container health check
  bool was_healthy = false;   // before now, as recorded
  bool wanted = true;         // desiredStatus RUNNING
  bool failed_start = false;  // ended by itself before it ever was healthy, and not counted yet
  bool ending = false;        // with failed_start: it has not stopped yet
  std::string zone;
  core::TimePoint created_at;
};

struct PlanDeployment {
  std::string id;
  bool completed = false;
  bool failed = false;
  int failed_tasks = 0;
};

struct ServiceView {
  int desired = 0;
  int minimum_percent = 100;
  int maximum_percent = 200;
  bool breaker = false;
  bool rollback = false;
  std::optional<std::string> rollback_to;  // id of the last completed deployment
  bool draining = false;                   // deleted: everything ends
  PlanDeployment primary;
  std::vector<std::string> others;  // ACTIVE deployments
  int start_rounds = 0;
  std::optional<core::TimePoint> next_start;
  core::Millis first_gap{1000};
  core::Millis longest_gap{std::chrono::minutes(15)};
  std::vector<PlanTask> tasks;  // all that have not stopped, and those with failed_start
};

enum class StopCause { kScaling, kUnhealthy };

struct PlannedStop {
  std::string id;
  StopCause cause = StopCause::kScaling;
  bool pending = false;  // it never ran
  bool operator==(const PlannedStop&) const = default;
};

struct ServicePlan {
  int start = 0;  // tasks of the primary
  std::vector<PlannedStop> stop;
  std::vector<std::string> now_healthy;  // first seen healthy: to be recorded
  std::vector<std::string> counted;      // failed starts: to be marked as counted
  int failed_tasks = 0;                  // of the primary, as it becomes
  int start_rounds = 0;
  std::optional<core::TimePoint> next_start;
  bool complete = false;  // the primary's deployment is done
  bool fail = false;      // the circuit breaker opens
  std::optional<std::string> roll_back_to;
  std::vector<std::string> retire;  // other deployments without tasks: they leave the list
  bool steady = false;
  bool stuck = false;          // neither move is possible within the percents
  bool impaired = false;       // starts fail again and again
  bool gone = false;           // draining and no task left
  int replaced_unhealthy = 0;  // how many of `start` stand in for unhealthy tasks
};

ServicePlan plan_service(const ServiceView& service, core::TimePoint now);

int lower_bound(int desired, int minimum_percent);
int upper_bound(int desired, int maximum_percent);
int breaker_threshold(int desired);  // clamp(ceil(desired / 2), 3, 200)

}  // namespace sampan::ecs
