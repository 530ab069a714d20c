#include "ecr/tag_rules.h"

#include <algorithm>

#include "core/text.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kMostFilters = 5;
constexpr std::size_t kMostWildcards = 2;
constexpr std::size_t kLongestFilter = 128;

bool has_exclusions(std::string_view mutability) {
  return mutability.ends_with("_WITH_EXCLUSION");
}

bool valid_filter(std::string_view filter) {
  if (filter.empty() || filter.size() > kLongestFilter) return false;
  return std::all_of(filter.begin(), filter.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '*' || c == '-';
  });
}

}  // namespace

bool is_immutable(const RepositoryRow& repository, std::string_view tag) {
  const bool immutable = repository.mutability.starts_with("IMMUTABLE");
  if (!has_exclusions(repository.mutability)) return immutable;
  for (const auto& filter : repository.exclusion_filters) {
    if (core::wildcard_match(filter, tag)) return !immutable;
  }
  return immutable;
}

std::optional<std::string> check_mutability(std::string_view mutability,
                                            const std::vector<std::string>& filters) {
  if (!has_exclusions(mutability)) {
    if (filters.empty()) return std::nullopt;
    return "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
           "'imageTagMutabilityExclusionFilters can only be specified when imageTagMutability is "
           "IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION'";
  }
  if (filters.empty() || filters.size() > kMostFilters) {
    return "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
           "'between 1 and 5 exclusion filters are required when imageTagMutability is "
           "IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION'";
  }
  for (const auto& filter : filters) {
    if (!valid_filter(filter) ||
        std::count(filter.begin(), filter.end(), '*') > std::ptrdiff_t(kMostWildcards)) {
      return "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
             "'filter must have 1 to 128 letters, digits, '.', '_' or '-' and at most two '*''";
    }
  }
  return std::nullopt;
}

}  // namespace sampan::ecr
