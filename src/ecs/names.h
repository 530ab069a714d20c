// How ECS names things: ARNs, what a caller may write instead of one, and the keys of rows. Pure.
// The forms are AWS's long ARNs ("task/CLUSTER/ID").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/call.h"

namespace sampan::ecs {

// Whose rows: an account in a region. The first part of every key.
struct Scope {
  std::string account;
  std::string region;
  auto operator<=>(const Scope&) const = default;
};

Scope scope_of(const aws::Call& call);

// "arn:aws:ecs:REGION:ACCOUNT:REST"
std::string arn(const Scope& scope, std::string_view rest);
// What follows "arn:aws:ecs:REGION:ACCOUNT:" when `text` is an ECS ARN of this scope.
std::optional<std::string_view> arn_rest(const Scope& scope, std::string_view text);
// The scope written in an ECS ARN.
std::optional<Scope> arn_scope(std::string_view text);
bool is_arn(std::string_view text);

std::string cluster_arn(const Scope& scope, std::string_view name);
std::string task_arn(const Scope& scope, std::string_view cluster, std::string_view id);
std::string service_arn(const Scope& scope, std::string_view cluster, std::string_view name);
std::string definition_arn(const Scope& scope, std::string_view family, int revision);
std::string instance_arn(const Scope& scope, std::string_view cluster, std::string_view id);

// The name in "NAME" or "…:cluster/NAME"; nothing for an ARN of another scope or kind. Absent: "default".
std::optional<std::string> cluster_name(const Scope& scope, const std::optional<std::string>& reference);
// The last part of "ID", "…:KIND/ID" or "…:KIND/CLUSTER/ID" (then CLUSTER must be `cluster`).
std::optional<std::string> member_name(const Scope& scope, std::string_view kind, std::string_view cluster,
                                       std::string_view reference);

// "FAMILY", "FAMILY:REVISION" or "…:task-definition/FAMILY:REVISION".
struct DefinitionName {
  std::string family;
  std::optional<int> revision;  // nothing: the newest active one
};
std::optional<DefinitionName> parse_definition(const Scope& scope, std::string_view reference);

// [A-Za-z0-9_-], 1 to 255 characters: families, containers, clusters, services.
bool valid_name(std::string_view name);

// Keys of rows.
std::string scope_key(const Scope& scope);                              // ACCOUNT/REGION/
std::string cluster_key(const Scope& scope, std::string_view cluster);  // ACCOUNT/REGION/CLUSTER
std::string member_key(const Scope& scope, std::string_view cluster, std::string_view member);
std::string definition_key(const Scope& scope, std::string_view family, int revision);  // revisions sort

}  // namespace sampan::ecs
