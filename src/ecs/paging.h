// Pages of a list that is in key order: nextToken is the base64 of a mark and the first key of the next page. Pure.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/encoding.h"
#include "ecs/faults.h"

namespace sampan::ecs {

inline constexpr int kMostResults = 100;
inline constexpr std::string_view kTokenMark = "page:";  // so that a text that is no token is seen as none

template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next_token;
};

// `entries` are (key, item), sorted by key in the wanted order (`descending` tells which).
template <class T>
Page<T> page_of(std::vector<std::pair<std::string, T>> entries, const std::optional<std::string>& token,
                std::optional<int> max_results, bool descending = false) {
  int limit = max_results.value_or(kMostResults);
  if (limit < 1 || limit > kMostResults)
    invalid_parameter("maxResults must be between 1 and {}.", kMostResults);
  auto from = entries.begin();
  if (token && !token->empty()) {
    auto decoded = core::from_base64(*token);
    if (!decoded || !decoded->starts_with(kTokenMark)) invalid_parameter("Invalid token");
    const auto key = decoded->substr(kTokenMark.size());
    from = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
      return descending ? entry.first <= key : entry.first >= key;
    });
  }
  Page<T> page;
  for (; from != entries.end() && static_cast<int>(page.items.size()) < limit; ++from) {
    page.items.push_back(std::move(from->second));
  }
  if (from != entries.end()) page.next_token = core::to_base64(std::string(kTokenMark) + from->first);
  return page;
}

}  // namespace sampan::ecs
