#include "aws/tags.h"

#include <fmt/format.h>

#include <set>

#include "core/text.h"

namespace sampan::aws {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::optional<TagFinding> check_tags(const std::vector<std::pair<std::string, std::string>>& given,
                                     const Tags& had) {
  std::set<std::string_view> keys;
  for (const auto& [key, value] : given) {
    if (key.empty() || characters(key) > kMaxTagKey) {
      return TagFinding{TagProblem::kKeyLength,
                        fmt::format("A tag's key must have 1 to {} characters.", kMaxTagKey)};
    }
    if (characters(value) > kMaxTagValue) {
      return TagFinding{
          TagProblem::kValueLength,
          fmt::format("The value of tag '{}' must have at most {} characters.", key, kMaxTagValue)};
    }
    if (core::to_lower(std::string_view(key).substr(0, 4)) == "aws:") {
      return TagFinding{TagProblem::kReservedPrefix,
                        fmt::format("Tag key '{}': tags with the prefix aws: are reserved.", key)};
    }
    if (!keys.insert(key).second) {
      return TagFinding{TagProblem::kDuplicateKey, fmt::format("Duplicate tag key '{}'.", key)};
    }
  }
  const auto fresh =
      std::ranges::count_if(keys, [&had](std::string_view key) { return !had.contains(std::string(key)); });
  if (had.size() + static_cast<std::size_t>(fresh) > kMaxTags) {
    return TagFinding{TagProblem::kTooMany, fmt::format("A resource can have at most {} tags.", kMaxTags)};
  }
  return std::nullopt;
}

void merge_tags(Tags& had, const std::vector<std::pair<std::string, std::string>>& given) {
  for (const auto& [key, value] : given) had[key] = value;
}

void remove_tags(Tags& had, const std::vector<std::string>& keys) {
  for (const auto& key : keys) had.erase(key);
}

}  // namespace sampan::aws
