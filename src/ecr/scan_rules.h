// What a registry's scanning configuration means for a repository. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ecr/scan_rows.h"

namespace sampan::ecr {

struct ScanPlan {
  std::string frequency = "MANUAL";  // the strongest of the rules that apply
  std::vector<std::string> filters;  // of those that apply
  bool on_push() const { return frequency != "MANUAL"; }
  bool continuous() const { return frequency == "CONTINUOUS_SCAN"; }
  bool operator==(const ScanPlan&) const = default;
};

// `scan_on_push`: the repository's own setting, which counts while the registry scans for itself (BASIC).
ScanPlan plan_scans(const ScanRulesRow& registry, std::string_view repository, bool scan_on_push);

// What is wrong with a configuration, in ECR's words; nothing when it is good.
std::optional<std::string> check_scan_rules(const ScanRulesRow& registry);

}  // namespace sampan::ecr
