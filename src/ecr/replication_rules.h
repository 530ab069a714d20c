// A registry's replication configuration: what is wrong with one, and where it sends a repository. Pure.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/ecr.h"

namespace sampan::ecr {

using ReplicationConfiguration = api::ecr::ReplicationConfiguration;

inline constexpr std::size_t kMostDestinations = 25;  // different ones in all rules of a registry

// Another registry: of another region, another account, or another machine.
struct Destination {
  std::string region;
  std::string account;
  auto operator<=>(const Destination&) const = default;
  std::string str() const { return region + '/' + account; }
};

// In ECR's words for InvalidParameterException; nothing when it is good for the registry of that account and
// region. Sizes and forms of single members are the model's matter.
std::optional<std::string> check_replication(const ReplicationConfiguration& given, std::string_view account,
                                             std::string_view region);
// Where the rules send what is pushed to the repository; each once, in order.
std::vector<Destination> destinations_of(const ReplicationConfiguration& rules, std::string_view repository);

}  // namespace sampan::ecr
