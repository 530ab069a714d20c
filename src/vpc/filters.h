// Filters, ids and pages of EC2's Describe calls, the same for all of them. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/ec2.h"

namespace sampan::vpc {

using Tags = std::map<std::string, std::string>;

// The values that an item has for a filter's name; nothing when its kind knows no such filter.
using FilterValues = std::function<std::optional<std::vector<std::string>>(std::string_view name)>;

// All filters must match, one value of each is enough; '*' and '?' are wildcards. tag:KEY and tag-key are
// answered from `tags`. An unknown filter is EC2's InvalidParameterValue.
bool matches(const std::optional<std::vector<api::ec2::Filter>>& filters, const Tags& tags,
             const FilterValues& values);

// One page of `items` (already in a stable order) and the token of the next.
inline constexpr std::size_t kMostResults = 1000;
struct PageBounds {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::optional<std::string> next_token;
};
PageBounds page_bounds(std::size_t count, const std::optional<int>& max_results,
                       const std::optional<std::string>& token);

template <class T>
std::optional<std::string> cut_page(std::vector<T>& items, const std::optional<int>& max_results,
                                    const std::optional<std::string>& token) {
  auto bounds = page_bounds(items.size(), max_results, token);
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(bounds.end), items.end());
  items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(bounds.begin));
  return bounds.next_token;
}

// True when no ids are asked for, or this one is.
bool wanted(const std::optional<std::vector<std::string>>& ids, std::string_view id);

// Every asked id must have been found; else a fault like InvalidSubnetID.NotFound that names what is missing.
void require_found(const std::optional<std::vector<std::string>>& ids, const std::vector<std::string>& found,
                   const std::string& code, std::string_view what);

std::string yes_no(bool value);  // "true", "false": how EC2 filters flags

}  // namespace sampan::vpc
