#include "aws/service.h"

#include <fmt/core.h>

#include <algorithm>

namespace sampan::aws {

const Operation* find_operation(const ServiceModel& model, std::string_view name) {
  auto found =
      std::lower_bound(model.operations.begin(), model.operations.end(), name,
                       [](const Operation& op, std::string_view wanted) { return op.name < wanted; });
  return found != model.operations.end() && found->name == name ? &*found : nullptr;
}

void not_implemented(std::string_view service, std::string_view operation) {
  throw Fault(
      "NotImplemented", 501,
      fmt::format("Sampan has no {}:{} yet. What works stands in docs/coverage.md.", service, operation));
}

}  // namespace sampan::aws
