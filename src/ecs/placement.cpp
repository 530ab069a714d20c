#include "ecs/placement.h"

#include "ecs/faults.h"

namespace sampan::ecs {
namespace {

constexpr std::size_t kMaxItems = 20;
constexpr int kMostWeight = 1000;
constexpr int kMostBase = 100000;

}  // namespace

void check_strategy(const std::vector<api::ecs::CapacityProviderStrategyItem>& strategy,
                    const std::vector<std::string>& associated) {
  if (strategy.size() > kMaxItems) {
    invalid_parameter("The capacity provider strategy cannot have more than {} items.", kMaxItems);
  }
  int bases = 0, weights = 0;
  std::set<std::string> seen;
  for (const auto& item : strategy) {
    if (std::find(associated.begin(), associated.end(), item.capacityProvider) == associated.end()) {
      invalid_parameter("The specified capacity provider '{}' is not associated with the cluster.",
                        item.capacityProvider);
    }
    if (!seen.insert(item.capacityProvider).second) {
      invalid_parameter("The capacity provider '{}' appears more than once in the strategy.",
                        item.capacityProvider);
    }
    int weight = item.weight.value_or(0), base = item.base.value_or(0);
    if (weight < 0 || weight > kMostWeight)
      invalid_parameter("weight must be between 0 and {}.", kMostWeight);
    if (base < 0 || base > kMostBase) invalid_parameter("base must be between 0 and {}.", kMostBase);
    bases += base > 0;
    weights += weight;
  }
  if (bases > 1) invalid_parameter("Only one capacity provider in a strategy can have a base.");
  if (!strategy.empty() && weights == 0) {
    invalid_parameter(
        "A capacity provider strategy must have at least one capacity provider with a weight greater than "
        "0.");
  }
}

std::vector<std::string> spread_over_providers(
    const std::vector<api::ecs::CapacityProviderStrategyItem>& strategy, std::map<std::string, int> running,
    int count) {
  std::vector<std::string> chosen;
  std::map<std::string, int> above_base;
  for (const auto& item : strategy) {
    above_base[item.capacityProvider] = std::max(0, running[item.capacityProvider] - item.base.value_or(0));
  }
  while (static_cast<int>(chosen.size()) < count) {
    const api::ecs::CapacityProviderStrategyItem* best = nullptr;
    bool for_base = false;
    for (const auto& item : strategy) {
      if (running[item.capacityProvider] < item.base.value_or(0)) {
        best = &item;
        for_base = true;
        break;
      }
      if (item.weight.value_or(0) == 0) continue;
      // The one furthest behind its share: (n + 1) / weight is least.
      auto share = [&](const auto& i) {
        return double(above_base[i.capacityProvider] + 1) / i.weight.value_or(0);
      };
      if (!best || share(item) < share(*best)) best = &item;
    }
    if (!best) break;
    ++running[best->capacityProvider];
    if (!for_base) ++above_base[best->capacityProvider];
    chosen.push_back(best->capacityProvider);
  }
  return chosen;
}

std::optional<Refusal> refusal(const InstanceRoom& room, const Needs& needs) {
  if (needs.cpu > room.cpu) return Refusal{room.arn, "RESOURCE:CPU"};
  if (needs.memory > room.memory) return Refusal{room.arn, "RESOURCE:MEMORY"};
  for (int port : needs.ports) {
    if (room.ports.contains(port)) return Refusal{room.arn, "RESOURCE:PORTS"};
  }
  return std::nullopt;
}

std::optional<std::size_t> choose_instance(const std::vector<InstanceRoom>& rooms, const Needs& needs,
                                           std::vector<Refusal>& refusals) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    if (auto refused = refusal(rooms[i], needs)) {
      refusals.push_back(*refused);
    } else if (!best || rooms[i].tasks < rooms[*best].tasks) {
      best = i;
    }
  }
  return best;
}

void occupy(InstanceRoom& room, const Needs& needs) {
  room.cpu -= needs.cpu;
  room.memory -= needs.memory;
  room.ports.insert(needs.ports.begin(), needs.ports.end());
  ++room.tasks;
}

std::string least_loaded(const std::vector<std::string>& names, const std::map<std::string, int>& load) {
  std::string best;
  int least = 0;
  for (const auto& name : names) {
    auto found = load.find(name);
    int its = found == load.end() ? 0 : found->second;
    if (best.empty() || its < least) {
      best = name;
      least = its;
    }
  }
  return best;
}

}  // namespace sampan::ecs
