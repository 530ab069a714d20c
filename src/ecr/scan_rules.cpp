#include "ecr/scan_rules.h"

#include <set>

#include "core/text.h"

namespace sampan::ecr {
namespace {

int strength(std::string_view frequency) {
  return frequency == "CONTINUOUS_SCAN" ? 2 : frequency == "SCAN_ON_PUSH" ? 1 : 0;
}

}  // namespace

ScanPlan plan_scans(const ScanRulesRow& registry, std::string_view repository, bool scan_on_push) {
  ScanPlan plan;
  for (const auto& rule : registry.rules) {
    for (const auto& filter : rule.filters) {
      if (!core::wildcard_match(filter, repository)) continue;
      plan.filters.push_back(filter);
      if (strength(rule.frequency) > strength(plan.frequency)) plan.frequency = rule.frequency;
    }
  }
  if (scan_on_push && !registry.enhanced && !plan.on_push()) plan.frequency = "SCAN_ON_PUSH";
  return plan;
}

std::optional<std::string> check_scan_rules(const ScanRulesRow& registry) {
  std::set<std::string> frequencies;
  for (const auto& rule : registry.rules) {
    if (!frequencies.insert(rule.frequency).second) {
      return "Invalid parameter at 'rules' failed to satisfy constraint: 'Each scan frequency can be "
             "specified only once'";
    }
    if (!registry.enhanced && rule.frequency == "CONTINUOUS_SCAN") {
      return "Invalid parameter at 'scanFrequency' failed to satisfy constraint: 'CONTINUOUS_SCAN is only "
             "supported when scanType is ENHANCED'";
    }
  }
  return std::nullopt;
}

}  // namespace sampan::ecr
