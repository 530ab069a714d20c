// A target's health as AWS tells it, from its row, its group and the data plane's last word. Pure.
#pragma once

#include <optional>

#include "core/clock.h"
#include "elb/haproxy_admin.h"
#include "elb/targets.h"

namespace sampan::elb {

// What has become of a target since it was registered, beside what is stored.
enum class Seen { kNothing, kHealthy, kUnhealthy };

struct TargetView {
  bool group_in_use = false;  // some listener forwards to its group
  bool draining = false;
  core::TimePoint registered{};
  core::Millis grace{};  // failing that long after registration is unhealthy, before it is initial
  Seen seen = Seen::kNothing;
  std::optional<ServerStat> stat;  // nothing: the data plane does not know it yet
};

TargetHealth judge(const TargetView& view, core::TimePoint now);

// An unregistered target's health.
TargetHealth not_registered();

}  // namespace sampan::elb
