#include "ecr/replication_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace sampan::ecr {
namespace {

std::string bad(std::string_view why) {
  return fmt::format("Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: '{}'",
                     why);
}

bool covers(const api::ecr::ReplicationRule& rule, std::string_view repository) {
  if (!rule.repositoryFilters || rule.repositoryFilters->empty()) return true;
  return std::any_of(rule.repositoryFilters->begin(), rule.repositoryFilters->end(),
                     [repository](const api::ecr::RepositoryFilter& filter) {
                       return repository.starts_with(filter.filter);
                     });
}

}  // namespace

std::optional<std::string> check_replication(const ReplicationConfiguration& given, std::string_view account,
                                             std::string_view region) {
  std::set<Destination> all;
  for (const auto& rule : given.rules) {
    if (rule.destinations.empty()) return bad("Replication rule must have at least one destination");
    for (const auto& destination : rule.destinations) {
      if (destination.region == region && destination.registryId == account) {
        return bad("Replication destination cannot be the same as the source registry");
      }
      all.insert({destination.region, destination.registryId});
    }
  }
  if (all.size() > kMostDestinations) {
    return bad(fmt::format("Replication configuration cannot have more than {} unique destinations",
                           kMostDestinations));
  }
  return std::nullopt;
}

std::vector<Destination> destinations_of(const ReplicationConfiguration& rules, std::string_view repository) {
  std::set<Destination> found;
  for (const auto& rule : rules.rules) {
    if (!covers(rule, repository)) continue;
    for (const auto& destination : rule.destinations)
      found.insert({destination.region, destination.registryId});
  }
  return {found.begin(), found.end()};
}

}  // namespace sampan::ecr
