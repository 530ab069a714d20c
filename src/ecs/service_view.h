// From a service's rows and its targets' health to what plan_service() wants to see. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ecs/plan.h"
#include "ecs/rows.h"
#include "elb/targets.h"

namespace sampan::ecs {

// Why a task is unhealthy: for its stoppedReason and for the service's events.
struct Ailment {
  std::string stopped_reason;
  std::string event;  // "(task T) …"
};

struct ServiceSight {
  ServiceView view;
  std::map<std::string, Ailment> ailments;  // by task id
  std::optional<core::TimePoint> wake;      // when the view changes by time alone
};

struct SightSources {
  // Whether some essential container of the task has a health check.
  std::function<bool(const TaskRow&)> has_check;
  std::function<elb::TargetHealth(const elb::Target&)> health;
  core::Millis healthy_after;
  core::Millis first_gap;
  core::Millis longest_gap;
};

ServiceSight see_service(const ServiceRow& service, const std::vector<const TaskRow*>& tasks,
                         const SightSources& sources, core::TimePoint now);

int running_count(const std::vector<const TaskRow*>& tasks, const std::string& deployment);  // "": of all
int pending_count(const std::vector<const TaskRow*>& tasks, const std::string& deployment);

}  // namespace sampan::ecs
