// Where tasks go: the strategy over capacity providers, the instance for a task of launch type EC2, the
// subnet. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/ecs.h"

namespace sampan::ecs {

// Which provider each of `count` new tasks uses, with `running` tasks a provider there already: base first,
// then by the ratio of weights.
std::vector<std::string> spread_over_providers(
    const std::vector<api::ecs::CapacityProviderStrategyItem>& strategy, std::map<std::string, int> running,
    int count);

// InvalidParameterException unless it can be used with a cluster that has `associated` providers.
void check_strategy(const std::vector<api::ecs::CapacityProviderStrategyItem>& strategy,
                    const std::vector<std::string>& associated);

// What an instance has left.
struct InstanceRoom {
  std::string arn;
  std::string zone;
  int cpu = 0;
  int memory = 0;
  std::set<int> ports;  // taken
  int tasks = 0;
};

struct Needs {
  int cpu = 0;
  int memory = 0;
  std::vector<int> ports;
};

struct Refusal {
  std::string arn;
  std::string reason;  // RESOURCE:CPU, RESOURCE:MEMORY, RESOURCE:PORTS
};

// Why the task cannot go there; nothing: it can.
std::optional<Refusal> refusal(const InstanceRoom& room, const Needs& needs);
// The instance with the fewest tasks that can take it, as an index; nothing: none, and why each refuses.
std::optional<std::size_t> choose_instance(const std::vector<InstanceRoom>& rooms, const Needs& needs,
                                           std::vector<Refusal>& refusals);
void occupy(InstanceRoom& room, const Needs& needs);

// The least loaded of `names`, the first of equals.
std::string least_loaded(const std::vector<std::string>& names, const std::map<std::string, int>& load);

}  // namespace sampan::ecs
