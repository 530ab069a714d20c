#include "ecs/names.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"

namespace sampan::ecs {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::string_view kArnStart = "arn:aws:ecs:";

// The parts of "arn:aws:ecs:REGION:ACCOUNT:REST".
struct ArnParts {
  std::string_view region;
  std::string_view account;
  std::string_view rest;
};

std::optional<ArnParts> split_arn(std::string_view text) {
  if (!text.starts_with(kArnStart)) return std::nullopt;
  text.remove_prefix(kArnStart.size());
  auto first = text.find(':');
  if (first == std::string_view::npos) return std::nullopt;
  auto second = text.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return ArnParts{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

}  // namespace

Scope scope_of(const aws::Call& call) {
  return {call.account, call.region};
}

std::string arn(const Scope& scope, std::string_view rest) {
  return fmt::format("arn:aws:ecs:{}:{}:{}", scope.region, scope.account, rest);
}

bool is_arn(std::string_view text) {
  return text.starts_with("arn:");
}

std::optional<std::string_view> arn_rest(const Scope& scope, std::string_view text) {
  auto parts = split_arn(text);
  if (!parts || parts->region != scope.region || parts->account != scope.account) return std::nullopt;
  return parts->rest;
}

std::optional<Scope> arn_scope(std::string_view text) {
  auto parts = split_arn(text);
  if (!parts) return std::nullopt;
  return Scope{std::string(parts->account), std::string(parts->region)};
}

std::string cluster_arn(const Scope& scope, std::string_view name) {
  return arn(scope, fmt::format("cluster/{}", name));
}
std::string task_arn(const Scope& scope, std::string_view cluster, std::string_view id) {
  return arn(scope, fmt::format("task/{}/{}", cluster, id));
}
std::string service_arn(const Scope& scope, std::string_view cluster, std::string_view name) {
  return arn(scope, fmt::format("service/{}/{}", cluster, name));
}
std::string definition_arn(const Scope& scope, std::string_view family, int revision) {
  return arn(scope, fmt::format("task-definition/{}:{}", family, revision));
}
std::string instance_arn(const Scope& scope, std::string_view cluster, std::string_view id) {
  return arn(scope, fmt::format("container-instance/{}/{}", cluster, id));
}

std::optional<std::string> cluster_name(const Scope& scope, const std::optional<std::string>& reference) {
  if (!reference || reference->empty()) return "default";
  if (!is_arn(*reference)) return *reference;
  auto rest = arn_rest(scope, *reference);
  if (!rest || !rest->starts_with("cluster/")) return std::nullopt;
  return std::string(rest->substr(8));
}

std::optional<std::string> member_name(const Scope& scope, std::string_view kind, std::string_view cluster,
                                       std::string_view reference) {
  if (!is_arn(reference)) return std::string(reference);
  auto rest = arn_rest(scope, reference);
  if (!rest) return std::nullopt;
  auto parts = core::split(*rest, '/');
  if (parts.front() != kind) return std::nullopt;
  if (parts.size() == 2) return parts[1];
  if (parts.size() == 3 && parts[1] == cluster) return parts[2];
  return std::nullopt;
}

std::optional<DefinitionName> parse_definition(const Scope& scope, std::string_view reference) {
  if (is_arn(reference)) {
    auto rest = arn_rest(scope, reference);
    if (!rest || !rest->starts_with("task-definition/")) return std::nullopt;
    reference = rest->substr(16);
  }
  auto colon = reference.rfind(':');
  if (colon == std::string_view::npos) return DefinitionName{std::string(reference), std::nullopt};
  auto revision = core::parse_int(reference.substr(colon + 1));
  if (!revision || *revision < 1 || *revision > 1'000'000) return std::nullopt;
  return DefinitionName{std::string(reference.substr(0, colon)), static_cast<int>(*revision)};
}

bool valid_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string scope_key(const Scope& scope) {
  return scope.account + "/" + scope.region + "/";
}

std::string cluster_key(const Scope& scope, std::string_view cluster) {
  return scope_key(scope).append(cluster);
}

std::string member_key(const Scope& scope, std::string_view cluster, std::string_view member) {
  return cluster_key(scope, cluster).append("/").append(member);
}

std::string definition_key(const Scope& scope, std::string_view family, int revision) {
  return fmt::format("{}{}/{:08}", scope_key(scope), family, revision);
}

}  // namespace sampan::ecs
