#include "logs/names.h"

#include <fmt/core.h>

#include "api/logs.h"

namespace sampan::logs {

using api::logs::InvalidParameterException;

std::string group_arn(const Scope& scope, std::string_view group) {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", scope.region, scope.account, group);
}

std::string stream_arn(const Scope& scope, std::string_view group, std::string_view stream) {
  return fmt::format("{}:log-stream:{}", group_arn(scope, group), stream);
}

std::optional<std::string> parse_group_arn(const Scope& scope, std::string_view arn) {
  const auto prefix = group_arn(scope, "");
  if (!arn.starts_with(prefix)) return std::nullopt;
  arn.remove_prefix(prefix.size());
  if (arn.ends_with(":*")) arn.remove_suffix(2);
  if (arn.empty() || arn.find(':') != std::string_view::npos) return std::nullopt;
  return std::string(arn);
}

std::string required_group(const Scope& scope, const std::optional<std::string>& name,
                           const std::optional<std::string>& identifier) {
  if (name && identifier) {
    throw InvalidParameterException(
        "Only one of the parameters logGroupName and logGroupIdentifier can be specified.");
  }
  if (name) return *name;
  if (!identifier) {
    throw InvalidParameterException("One of the parameters logGroupName and logGroupIdentifier is required.");
  }
  if (!identifier->starts_with("arn:")) return *identifier;
  auto parsed = parse_group_arn(scope, *identifier);
  if (!parsed) throw InvalidParameterException("The specified log group identifier is not valid.");
  return *parsed;
}

}  // namespace sampan::logs
