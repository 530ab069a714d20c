// dependsOn: known containers, no circle, conditions that can come true.
#include <map>
#include <set>

#include "ecs/definition_rules.h"
#include "ecs/faults.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerDefinition;
using Containers = std::map<std::string, const ContainerDefinition*>;

void check_one(const ContainerDefinition& container, const api::ecs::ContainerDependency& dependency,
               const Containers& containers) {
  if (dependency.containerName == *container.name) {
    client_fault("Container '{}' cannot depend on itself.", *container.name);
  }
  auto found = containers.find(dependency.containerName);
  if (found == containers.end()) {
    client_fault("Container '{}' depends on an unknown container '{}'.", *container.name,
                 dependency.containerName);
  }
  const auto& target = *found->second;
  if (dependency.condition == "HEALTHY" && !target.healthCheck) {
    client_fault("A dependency container with HEALTHY condition must have a healthCheck: '{}'.",
                 *target.name);
  }
  bool must_end = dependency.condition == "SUCCESS" || dependency.condition == "COMPLETE";
  if (must_end && target.essential.value_or(true)) {
    client_fault(
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container");
  }
}

// Depth first; at most ten containers, so the stack is shallow.
void check_no_circle(const std::string& name, const Containers& containers, std::set<std::string>& open,
                     std::set<std::string>& done) {
  if (done.contains(name)) return;
  if (!open.insert(name).second) client_fault("Cycle detected in container dependencies at '{}'.", name);
  for (const auto& dependency : list_or_empty(containers.at(name)->dependsOn)) {
    check_no_circle(dependency.containerName, containers, open, done);
  }
  open.erase(name);
  done.insert(name);
}

}  // namespace

void check_dependencies(const api::ecs::TaskDefinition& definition) {
  Containers containers;
  for (const auto& container : *definition.containerDefinitions) containers[*container.name] = &container;
  for (const auto& container : *definition.containerDefinitions) {
    for (const auto& dependency : list_or_empty(container.dependsOn)) {
      check_one(container, dependency, containers);
    }
  }
  std::set<std::string> open, done;
  for (const auto& [name, container] : containers) check_no_circle(name, containers, open, done);
}

}  // namespace sampan::ecs
