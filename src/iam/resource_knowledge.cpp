// What IAM, STS, ECS and ELBv2 calls are about, read from their inputs by the members' names.
#include <fmt/core.h>

#include <algorithm>

#include "aws/arn.h"
#include "iam/authorizer.h"

namespace sampan::iam {
namespace {

using aws::Attempt;

const std::string* text(const Attempt& attempt, std::string_view name) {
  return aws::text_member(attempt.operation.input, attempt.input, name);
}

// "role/x" or an ARN as the ARN.
std::string role_arn(const Attempt& attempt, const std::string& role) {
  if (role.starts_with("arn:")) return role;
  return fmt::format("arn:aws:iam::{}:role/{}", attempt.call.account, role);
}

std::vector<Target> iam_targets(const Attempt& attempt) {
  const auto action = action_of(attempt);
  const auto named = [&](std::string_view type, std::string_view name) {
    return fmt::format("arn:aws:iam::{}:{}/{}", attempt.call.account, type, name);
  };
  // An entity before a policy: AttachUserPolicy is about the user. A path, where one is known, is not asked
  // for.
  static constexpr std::pair<std::string_view, std::string_view> kMembers[] = {
      {"UserName", "user"}, {"GroupName", "group"}, {"RoleName", "role"}};
  const bool groups_user =
      attempt.operation.name == "AddUserToGroup" || attempt.operation.name == "RemoveUserFromGroup";
  for (const auto& [member, type] : kMembers) {
    const auto* name = text(attempt, member);
    if (!name || (groups_user && type == "user")) continue;
    const auto* path = text(attempt, "Path");
    const auto front = path && path->size() > 1 ? std::string_view(*path).substr(1) : std::string_view();
    std::vector<Target> targets{{.action = action, .resource = named(type, std::string(front) + *name)}};
    if (const auto* policy = text(attempt, "PolicyArn"))
      targets[0].keys.emplace_back("iam:PolicyARN", *policy);
    return targets;
  }
  if (const auto* arn = text(attempt, "PolicyArn")) return {{.action = action, .resource = *arn}};
  if (const auto* name = text(attempt, "PolicyName"))
    return {{.action = action, .resource = named("policy", *name)}};
  // Without a name these are about the caller.
  static constexpr std::string_view kOwn[] = {"GetUser", "CreateAccessKey", "ListAccessKeys",
                                              "UpdateAccessKey", "DeleteAccessKey"};
  if (std::ranges::find(kOwn, attempt.operation.name) != std::end(kOwn)) {
    return {{.action = action, .resource = attempt.call.principal_arn}};
  }
  return {{.action = action}};
}

std::vector<Target> sts_targets(const Attempt& attempt) {
  const auto& name = attempt.operation.name;
  // Nobody needs a permission for the first two; AssumeRole asks by itself, with the role's trust policy.
  if (name == "GetCallerIdentity" || name == "GetSessionToken" || name == "AssumeRole") return {};
  return {{.action = action_of(attempt)}};
}

void pass_role(const Attempt& attempt, const std::string* role, std::vector<Target>& targets) {
  if (!role || role->empty()) return;
  targets.push_back({.action = "iam:PassRole",
                     .resource = role_arn(attempt, *role),
                     .keys = {{"iam:PassedToService", "ecs-tasks.amazonaws.com"}}});
}

std::string ecs_arn(const Attempt& attempt, std::string_view type, std::string_view name) {
  if (name.starts_with("arn:")) return std::string(name);
  return fmt::format("arn:aws:ecs:{}:{}:{}/{}", attempt.call.region, attempt.call.account, type, name);
}

std::string ecs_resource(const Attempt& attempt) {
  const auto* given = text(attempt, "cluster");
  const std::string cluster(given ? aws::last_segment(*given) : std::string_view("default"));
  const auto in_cluster = [&](std::string_view type, const std::string& name) {
    return ecs_arn(attempt, type, name.starts_with("arn:") ? name : cluster + '/' + name);
  };
  const auto& operation = attempt.operation.name;
  if (const auto* service = text(attempt, "service")) return in_cluster("service", *service);
  if (operation == "CreateService") return in_cluster("service", *text(attempt, "serviceName"));
  if (const auto* task = text(attempt, "task")) return in_cluster("task", *task);
  if (const auto* definition = text(attempt, "taskDefinition"))
    return ecs_arn(attempt, "task-definition", *definition);
  if (const auto* family = text(attempt, "family"))
    return ecs_arn(attempt, "task-definition", *family + ":*");
  if (const auto* arn = text(attempt, "resourceArn")) return *arn;
  if (const auto* name = text(attempt, "clusterName")) return ecs_arn(attempt, "cluster", *name);
  return given ? ecs_arn(attempt, "cluster", *given) : "*";
}

std::vector<Target> ecs_targets(const Attempt& attempt) {
  std::vector<Target> targets{{.action = action_of(attempt), .resource = ecs_resource(attempt)}};
  for (const auto* member : {"taskRoleArn", "executionRoleArn"})
    pass_role(attempt, text(attempt, member), targets);
  for (const auto& member : attempt.operation.input.members) {
    if (member.name != "overrides") continue;
    const auto* overrides = aws::get(member, attempt.input);
    if (!overrides) break;
    for (const auto* name : {"taskRoleArn", "executionRoleArn"}) {
      pass_role(attempt, aws::text_member(*member.shape, overrides, name), targets);
    }
  }
  return targets;
}

std::vector<Target> elb_targets(const Attempt& attempt) {
  static constexpr std::string_view kMembers[] = {"LoadBalancerArn", "LoadBalancerArns", "TargetGroupArn",
                                                  "TargetGroupArns", "ListenerArn",      "ListenerArns",
                                                  "RuleArn",         "RuleArns",         "ResourceArns"};
  std::vector<Target> targets;
  const auto add = [&](const std::string& arn) {
    targets.push_back({.action = action_of(attempt), .resource = arn});
  };
  for (const auto member : kMembers) {
    if (const auto* arn = text(attempt, member)) add(*arn);
    for (const auto& arn : aws::text_list_member(attempt.operation.input, attempt.input, member)) add(arn);
  }
  if (targets.empty()) add("*");
  return targets;
}

}  // namespace

ResourceKnowledge iam_knowledge() {
  return {iam_targets, nullptr};
}

ResourceKnowledge sts_knowledge() {
  return {sts_targets, nullptr};
}

ResourceKnowledge ecs_knowledge() {
  return {ecs_targets, nullptr};
}

ResourceKnowledge elb_knowledge() {
  return {elb_targets, nullptr};
}

}  // namespace sampan::iam
