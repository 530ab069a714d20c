#include "elb/target_judge.h"

#include <fmt/core.h>

namespace sampan::elb {
namespace {

TargetHealth failing(const ServerStat& stat) {
  if (stat.check_status == "L7STS" || (stat.check_status == "L7RSP" && stat.check_code != 0)) {
    return {"unhealthy", "Target.ResponseCodeMismatch",
            fmt::format("Health checks failed with these codes: [{}]", stat.check_code)};
  }
  if (stat.check_status == "L7TOUT" || stat.check_status == "L4TOUT" || stat.check_status == "L6TOUT") {
    return {"unhealthy", "Target.Timeout", "Request timed out"};
  }
  return {"unhealthy", "Target.FailedHealthChecks", "Health checks failed"};
}

}  // namespace

TargetHealth judge(const TargetView& view, core::TimePoint now) {
  if (view.draining) {
    return {"draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"};
  }
  if (!view.group_in_use) {
    return {"unused", "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer"};
  }
  if (!view.stat) {
    return {"initial", "Elb.RegistrationInProgress", "Target registration is in progress"};
  }
  if (view.stat->is_up()) return {"healthy", "", ""};
  if (view.seen == Seen::kNothing && now < view.registered + view.grace) {
    return {"initial", "Elb.InitialHealthChecking", "Initial health checks in progress"};
  }
  return failing(*view.stat);
}

TargetHealth not_registered() {
  return {"unused", "Target.NotRegistered", "Target is not registered to the target group"};
}

}  // namespace sampan::elb
