#include "elb/registry.h"

#include <fmt/core.h>

#include <algorithm>

#include "elb/names.h"

namespace sampan::elb {

std::vector<std::string> groups_in(const std::optional<std::vector<api::elbv2::Action>>& actions) {
  std::vector<std::string> groups;
  for (const auto& action : actions.value_or(std::vector<api::elbv2::Action>{})) {
    if (action.ForwardConfig && action.ForwardConfig->TargetGroups) {
      for (const auto& tuple : *action.ForwardConfig->TargetGroups) {
        if (tuple.TargetGroupArn) groups.push_back(*tuple.TargetGroupArn);
      }
    } else if (action.TargetGroupArn) {
      groups.push_back(*action.TargetGroupArn);
    }
  }
  return groups;
}

std::string arn_prefix(const std::string& account, const std::string& region) {
  return fmt::format("arn:aws:elasticloadbalancing:{}:{}:", region, account);
}

std::vector<const ListenerRow*> Registry::listeners_of(const std::string& balancer_arn) const {
  std::vector<const ListenerRow*> found;
  for (const auto& [arn, row] : listeners) {
    if (row.value.shape.LoadBalancerArn == balancer_arn) found.push_back(&row.value);
  }
  return found;
}

std::vector<const RuleRow*> Registry::rules_of(const std::string& listener_arn) const {
  std::vector<const RuleRow*> found;
  for (const auto& [arn, row] : rules) {
    if (row.value.listener_arn == listener_arn) found.push_back(&row.value);
  }
  std::sort(found.begin(), found.end(),
            [](const auto* a, const auto* b) { return a->priority < b->priority; });
  return found;
}

std::vector<const TargetRow*> Registry::targets_of(const std::string& group_arn) const {
  std::vector<const TargetRow*> found;
  const auto prefix = group_arn + '|';
  for (auto it = targets.lower_bound(prefix); it != targets.end() && it->first.starts_with(prefix); ++it) {
    found.push_back(&it->second.value);
  }
  return found;
}

std::map<std::string, std::set<std::string>> Registry::group_users() const {
  std::map<std::string, std::set<std::string>> users;
  for (const auto& [arn, row] : listeners) {
    const auto balancer = row.value.shape.LoadBalancerArn.value_or("");
    for (auto& group : groups_in(row.value.shape.DefaultActions)) users[group].insert(balancer);
  }
  for (const auto& [arn, row] : rules) {
    const auto balancer = balancer_of_listener(row.value.listener_arn);
    for (auto& group : groups_in(row.value.shape.Actions)) users[group].insert(balancer);
  }
  return users;
}

std::set<std::string> Registry::balancers_of_group(const std::string& group_arn) const {
  auto users = group_users();
  return std::move(users[group_arn]);
}

}  // namespace sampan::elb
