#include "vpc/filters.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/encoding.h"
#include "core/text.h"

namespace sampan::vpc {
namespace {

constexpr std::size_t kMostFilterValues = 200;

bool any_matches(const std::vector<std::string>& patterns, const std::vector<std::string>& values) {
  for (const auto& pattern : patterns) {
    for (const auto& value : values) {
      if (core::wildcard_match(pattern, value)) return true;
    }
  }
  return false;
}

std::optional<std::vector<std::string>> tag_values(std::string_view name, const Tags& tags) {
  if (name == "tag-key") {
    std::vector<std::string> keys;
    for (const auto& [key, value] : tags) keys.push_back(key);
    return keys;
  }
  if (!name.starts_with("tag:")) return std::nullopt;
  const auto found = tags.find(std::string(name.substr(4)));
  if (found == tags.end()) return std::vector<std::string>{};
  return std::vector<std::string>{found->second};
}

}  // namespace

bool matches(const std::optional<std::vector<api::ec2::Filter>>& filters, const Tags& tags,
             const FilterValues& values) {
  if (!filters) return true;
  bool all = true;
  for (const auto& filter : *filters) {
    if (!filter.Name || !filter.Values) {
      throw aws::Fault("InvalidParameterValue", 400, "A filter needs a name and values");
    }
    if (filter.Values->size() > kMostFilterValues) {
      throw aws::Fault(
          "FilterLimitExceeded", 400,
          fmt::format("The filter '{}' has more than {} values", *filter.Name, kMostFilterValues));
    }
    auto held = tag_values(*filter.Name, tags);
    if (!held) held = values(*filter.Name);
    if (!held) {
      throw aws::Fault("InvalidParameterValue", 400, fmt::format("The filter '{}' is invalid", *filter.Name));
    }
    all = all && any_matches(*filter.Values, *held);
  }
  return all;
}

PageBounds page_bounds(std::size_t count, const std::optional<int>& max_results,
                       const std::optional<std::string>& token) {
  PageBounds bounds;
  if (token && !token->empty()) {
    const auto text = core::from_base64(*token);
    const auto start = text ? core::parse_int(*text) : std::nullopt;
    if (!start || *start < 0) {
      throw aws::Fault("InvalidNextToken", 400, "The token in NextToken is not one that a call before gave");
    }
    bounds.begin = std::min(count, static_cast<std::size_t>(*start));
  }
  if (max_results && *max_results < 1) {
    throw aws::Fault(
        "InvalidParameterValue", 400,
        fmt::format("Value ( {} ) for parameter maxResults is invalid. It must be at least 1", *max_results));
  }
  const auto most = max_results ? std::min<std::size_t>(static_cast<std::size_t>(*max_results), kMostResults)
                                : kMostResults;
  bounds.end = std::min(count, bounds.begin + most);
  if (bounds.end < count) bounds.next_token = core::to_base64(std::to_string(bounds.end));
  return bounds;
}

bool wanted(const std::optional<std::vector<std::string>>& ids, std::string_view id) {
  return !ids || ids->empty() || std::find(ids->begin(), ids->end(), id) != ids->end();
}

void require_found(const std::optional<std::vector<std::string>>& ids, const std::vector<std::string>& found,
                   const std::string& code, std::string_view what) {
  if (!ids) return;
  std::vector<std::string> missing;
  for (const auto& id : *ids) {
    if (std::find(found.begin(), found.end(), id) == found.end()) missing.push_back(id);
  }
  if (missing.empty()) return;
  throw aws::Fault(code, 400,
                   missing.size() == 1
                       ? fmt::format("The {} ID '{}' does not exist", what, missing[0])
                       : fmt::format("The {} IDs '{}' do not exist", what, core::join(missing, ", ")));
}

std::string yes_no(bool value) {
  return value ? "true" : "false";
}

}  // namespace sampan::vpc
