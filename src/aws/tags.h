// Resource tags: the rules that all services share. Works with any generated tag structure through the names
// of its members (`key`/`value` in ECS, `Key`/`Value` in ECR, ELBv2 and EC2). Pure.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::aws {

using Tags = std::map<std::string, std::string>;  // in key order

inline constexpr std::size_t kMaxTags = 50;
inline constexpr std::size_t kMaxTagKey = 128;  // characters
inline constexpr std::size_t kMaxTagValue = 256;

enum class TagProblem { kReservedPrefix, kKeyLength, kValueLength, kDuplicateKey, kTooMany };

// What is wrong with tags that a caller gives, and in words; nothing when they are good.
struct TagFinding {
  TagProblem problem;
  std::string message;
};
// `given` in the caller's order; with `had`, the limit counts both.
std::optional<TagFinding> check_tags(const std::vector<std::pair<std::string, std::string>>& given,
                                     const Tags& had = {});

namespace detail {
inline const std::string& text(const std::string& value) {
  return value;
}
inline std::string text(const std::optional<std::string>& value) {
  return value.value_or("");
}
}  // namespace detail

template <class T>
std::vector<std::pair<std::string, std::string>> tag_pairs(const std::vector<T>& tags) {
  std::vector<std::pair<std::string, std::string>> pairs;
  pairs.reserve(tags.size());
  for (const auto& tag : tags) {
    if constexpr (requires { tag.key; }) {
      pairs.emplace_back(detail::text(tag.key), detail::text(tag.value));
    } else {
      pairs.emplace_back(detail::text(tag.Key), detail::text(tag.Value));
    }
  }
  return pairs;
}

template <class T>
std::vector<T> to_tag_list(const Tags& tags) {
  std::vector<T> list;
  list.reserve(tags.size());
  for (const auto& [key, value] : tags) {
    auto& tag = list.emplace_back();
    if constexpr (requires { tag.key; }) {
      tag.key = key;
      tag.value = value;
    } else {
      tag.Key = key;
      tag.Value = value;
    }
  }
  return list;
}

// `given` over `had`: equal keys take the new value.
void merge_tags(Tags& had, const std::vector<std::pair<std::string, std::string>>& given);
void remove_tags(Tags& had, const std::vector<std::string>& keys);

}  // namespace sampan::aws
