#include "secrets/list_filter.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"

namespace sampan::secrets {
namespace {

bool has_word(const std::string& text, const std::string& prefix) {
  const auto lower = core::to_lower(text), wanted = core::to_lower(prefix);
  if (lower.starts_with(wanted)) return true;
  const auto words = core::split(lower, ' ');
  return std::any_of(words.begin(), words.end(), [&](const auto& word) { return word.starts_with(wanted); });
}

bool has_tag(const SecretRow& secret, const std::string& prefix, bool by_value) {
  return std::any_of(secret.tags.begin(), secret.tags.end(), [&](const auto& tag) {
    return (by_value ? tag.second : tag.first).starts_with(prefix);
  });
}

bool matches_one(const SecretRow& secret, const std::string& region, const std::string& key,
                 const std::string& value) {
  if (key == "name") return secret.name.starts_with(value);
  if (key == "description") return has_word(secret.description, value);
  if (key == "tag-key") return has_tag(secret, value, false);
  if (key == "tag-value") return has_tag(secret, value, true);
  if (key == "primary-region") return region == value;
  if (key == "owning-service") return false;
  const auto lower = core::to_lower(value);
  const bool tagged = std::any_of(secret.tags.begin(), secret.tags.end(), [&](const auto& tag) {
    return core::to_lower(tag.first).starts_with(lower) || core::to_lower(tag.second).starts_with(lower);
  });
  return tagged || core::to_lower(secret.name).starts_with(lower) || has_word(secret.description, value);
}

bool matches_filter(const SecretRow& secret, const std::string& region,
                    const api::secretsmanager::Filter& filter) {
  const auto key = filter.Key.value_or("all");
  const auto values = filter.Values.value_or(std::vector<std::string>());
  return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
    if (value.starts_with('!')) return !matches_one(secret, region, key, value.substr(1));
    return matches_one(secret, region, key, value);
  });
}

}  // namespace

bool matches(const SecretRow& secret, const std::string& region, const Filters& filters) {
  return std::all_of(filters.begin(), filters.end(),
                     [&](const auto& filter) { return matches_filter(secret, region, filter); });
}

std::string sort_key(const SecretRow& secret, const std::string& by) {
  const auto at = [&secret](std::optional<core::TimePoint> time) {
    return fmt::format("{:016}/{}", time ? time->time_since_epoch().count() : 0, secret.name);
  };
  if (by == "name") return secret.name;
  if (by == "last-accessed-date") return at(secret.accessed);
  if (by == "last-changed-date") return at(secret.changed);
  return at(secret.created);
}

}  // namespace sampan::secrets
