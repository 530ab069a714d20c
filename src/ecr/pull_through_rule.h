// A pull-through cache rule: which repositories of a registry are filled from which upstream. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "api/ecr.h"
#include "ecr/names.h"
#include "image/registry_address.h"

namespace sampan::ecr {

using PullThroughRule = api::ecr::PullThroughCacheRule;

inline constexpr std::size_t kMostPullThroughRules = 50;  // ECR's quota of a registry
inline constexpr char kSecretPrefix[] = "ecr-pullthroughcache/";

// What is wrong with a rule, and as which of ECR's exceptions it is told.
struct RuleProblem {
  enum class Kind { kInvalidParameter, kUnsupportedUpstream };
  Kind kind;
  std::string message;
};

// Completes a rule that is to be made (its upstream's kind, from the URL) or says what is wrong with it.
// Beyond AWS's own upstreams any host is taken: a team may mirror its own registries; those have no kind.
// `plainly`: whether a host may be spoken to over HTTP.
std::optional<RuleProblem> complete_rule(PullThroughRule& rule,
                                         const std::function<bool(std::string_view)>& plainly);

// The upstream of a stored rule.
image::RegistryAddress upstream_of(const PullThroughRule& rule);

// The repository's name upstream: what follows the rule's prefix, behind the upstream's prefix where there is
// one. "docker-hub/nginx" of Docker Hub is "library/nginx".
std::string upstream_name(const PullThroughRule& rule, std::string_view repository);

}  // namespace sampan::ecr
