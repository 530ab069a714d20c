// The ARNs of groups and streams, and the ways to name a group in a request. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "logs/catalog.h"

namespace sampan::logs {

std::string group_arn(const Scope& scope, std::string_view group);  // without ":*"
std::string stream_arn(const Scope& scope, std::string_view group, std::string_view stream);

// The group's name in "arn:aws:logs:REGION:ACCOUNT:log-group:NAME" with or without ":*"; nothing when it is
// no such ARN or one of another scope.
std::optional<std::string> parse_group_arn(const Scope& scope, std::string_view arn);

// A request names its group by logGroupName or by logGroupIdentifier (a name or an ARN), not by both.
// InvalidParameterException.
std::string required_group(const Scope& scope, const std::optional<std::string>& name,
                           const std::optional<std::string>& identifier);

}  // namespace sampan::logs
