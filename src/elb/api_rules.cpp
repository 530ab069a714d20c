// Rules of listeners.
#include <fmt/core.h>

#include <algorithm>

#include "elb/elb_api.h"
#include "elb/names.h"
#include "elb/rule_checks.h"

namespace sampan::elb {
namespace {

constexpr int kLastPriority = 50000;

void check_priority(int priority) {
  if (priority < 1 || priority > kLastPriority) {
    invalid(fmt::format("Rule priority '{}' must be between '1' and '{}'", priority, kLastPriority));
  }
}

void refuse_transforms(const std::optional<std::vector<elbv2::RuleTransform>>& transforms) {
  if (transforms && !transforms->empty()) {
    throw elbv2::InvalidConfigurationRequestException(
        "Transforms of rules are not supported: leave them out");
  }
}

}  // namespace

elbv2::Rule ElbApi::show_default_rule(const ListenerRow& row) const {
  elbv2::Rule shown;
  shown.RuleArn = row.default_rule_arn;
  shown.Priority = "default";
  shown.IsDefault = true;
  shown.Conditions.emplace();
  shown.Actions = row.shape.DefaultActions;
  return shown;
}

boost::asio::awaitable<elbv2::CreateRuleOutput> ElbApi::CreateRule(const aws::Call& call,
                                                                   elbv2::CreateRuleInput input) {
  check_priority(input.Priority);
  check_conditions(input.Conditions);
  refuse_transforms(input.Transforms);
  const auto actions = checked_actions(input.Actions);
  auto body = [&](store::Txn& tx) {
    const auto owner = listener(tx, call, input.ListenerArn);
    const auto& balancer_arn = *owner.shape.LoadBalancerArn;
    check_groups(tx, call, balancer(tx, call, balancer_arn), actions);
    std::size_t count = 0;
    for (const auto* listener : registry_.listeners_of(balancer_arn)) {
      for (const auto* other : registry_.rules_of(*listener->shape.ListenerArn)) {
        ++count;
        if (other->listener_arn == input.ListenerArn && other->priority == input.Priority) {
          throw elbv2::PriorityInUseException(
              fmt::format("Priority '{}' is currently in use", input.Priority));
        }
      }
    }
    if (count >= kMostRules) {
      throw elbv2::TooManyRulesException(
          fmt::format("A load balancer can have at most {} rules", kMostRules));
    }
    RuleRow row;
    row.listener_arn = input.ListenerArn;
    row.priority = input.Priority;
    row.shape.RuleArn = new_arn(call, fmt::format("listener-rule/{}/{}/{}", balancer_path(input.ListenerArn),
                                                  id_of(input.ListenerArn), ids_.hex(16)));
    row.shape.Priority = std::to_string(input.Priority);
    row.shape.IsDefault = false;
    row.shape.Conditions = shown_conditions(input.Conditions);
    row.shape.Actions = actions;
    tx.put(registry_.rules, *row.shape.RuleArn, row);
    put_tags(tx, *row.shape.RuleArn, input.Tags);
    return row.shape;
  };
  elbv2::CreateRuleOutput output;
  const auto shape = co_await store::transact(registry_.store(), body);
  output.Rules.emplace().push_back(shape);
  co_await settle();
  co_return output;
}

boost::asio::awaitable<elbv2::ModifyRuleOutput> ElbApi::ModifyRule(const aws::Call& call,
                                                                   elbv2::ModifyRuleInput input) {
  refuse_transforms(input.Transforms);
  if (input.Conditions) check_conditions(*input.Conditions);
  auto body = [&](store::Txn& tx) {
    // The default rule is the listener's: only its actions change.
    const auto listener_arn = listener_of_rule(input.RuleArn);
    if (auto owner = tx.get(registry_.listeners, listener_arn);
        owner && owner->default_rule_arn == input.RuleArn) {
      if (input.Conditions) throw elbv2::OperationNotPermittedException("The default rule has no conditions");
      if (input.Actions) {
        owner->shape.DefaultActions = checked_actions(*input.Actions);
        check_groups(tx, call, balancer(tx, call, *owner->shape.LoadBalancerArn),
                     *owner->shape.DefaultActions);
        tx.put(registry_.listeners, listener_arn, *owner);
      }
      return show_default_rule(*owner);
    }
    auto row = rule(tx, call, input.RuleArn);
    if (input.Conditions) row.shape.Conditions = shown_conditions(*input.Conditions);
    if (input.Actions) {
      row.shape.Actions = checked_actions(*input.Actions);
      check_groups(tx, call, balancer(tx, call, balancer_of_listener(row.listener_arn)), *row.shape.Actions);
    }
    tx.put(registry_.rules, input.RuleArn, row);
    return row.shape;
  };
  elbv2::ModifyRuleOutput output;
  const auto shape = co_await store::transact(registry_.store(), body);
  output.Rules.emplace().push_back(shape);
  co_await settle();
  co_return output;
}

boost::asio::awaitable<elbv2::DeleteRuleOutput> ElbApi::DeleteRule(const aws::Call& call,
                                                                   elbv2::DeleteRuleInput input) {
  auto body = [&](store::Txn& tx) {
    const auto owner = tx.get(registry_.listeners, listener_of_rule(input.RuleArn));
    if (owner && owner->default_rule_arn == input.RuleArn) {
      throw elbv2::OperationNotPermittedException("Default rules cannot be deleted");
    }
    rule(tx, call, input.RuleArn);
    tx.erase(registry_.rules, input.RuleArn);
    erase_tags(tx, input.RuleArn);
  };
  co_await store::transact(registry_.store(), body);
  co_await settle();
  co_return elbv2::DeleteRuleOutput{};
}

boost::asio::awaitable<elbv2::DescribeRulesOutput> ElbApi::DescribeRules(const aws::Call& call,
                                                                         elbv2::DescribeRulesInput input) {
  const bool by_arn = input.RuleArns && !input.RuleArns->empty();
  if (by_arn == input.ListenerArn.has_value()) invalid("You must specify either rule ARNs or a listener ARN");
  std::vector<elbv2::Rule> shown;
  if (by_arn) {
    for (const auto& arn : *input.RuleArns) {
      const auto* owner = registry_.listeners.find(listener_of_rule(arn));
      const auto* row = registry_.rules.find(arn);
      const bool mine = arn.starts_with(arn_prefix(call.account, call.region));
      if (mine && row) {
        shown.push_back(row->shape);
      } else if (mine && owner && owner->default_rule_arn == arn) {
        shown.push_back(show_default_rule(*owner));
      } else {
        throw elbv2::RuleNotFoundException("One or more rules not found");
      }
    }
  } else {
    const auto& owner = listener(call, *input.ListenerArn);
    for (const auto* row : registry_.rules_of(*input.ListenerArn)) shown.push_back(row->shape);
    shown.push_back(show_default_rule(owner));
  }
  elbv2::DescribeRulesOutput output;
  cut_page(shown, input.Marker, input.PageSize, output.NextMarker);
  output.Rules = std::move(shown);
  co_return output;
}

boost::asio::awaitable<elbv2::SetRulePrioritiesOutput> ElbApi::SetRulePriorities(
    const aws::Call& call, elbv2::SetRulePrioritiesInput input) {
  auto body = [&](store::Txn& tx) {
    std::map<std::string, int> wanted;
    std::set<std::string> listeners;
    for (const auto& pair : input.RulePriorities) {
      const auto arn = pair.RuleArn.value_or("");
      const auto* owner = registry_.listeners.find(listener_of_rule(arn));
      if (owner && owner->default_rule_arn == arn) {
        throw elbv2::OperationNotPermittedException("The priority of a default rule cannot be set");
      }
      check_priority(pair.Priority.value_or(0));
      listeners.insert(rule(tx, call, arn).listener_arn);
      if (!wanted.emplace(arn, *pair.Priority).second)
        invalid(fmt::format("The rule '{}' is named twice", arn));
    }
    // All change at once, so two rules may swap; what counts is that the outcome has no two alike.
    for (const auto& listener_arn : listeners) {
      std::set<int> taken;
      for (const auto* row : registry_.rules_of(listener_arn)) {
        const auto found = wanted.find(*row->shape.RuleArn);
        const int priority = found == wanted.end() ? row->priority : found->second;
        if (!taken.insert(priority).second) {
          throw elbv2::PriorityInUseException(fmt::format("Priority '{}' is currently in use", priority));
        }
      }
    }
    std::vector<elbv2::Rule> shown;
    for (const auto& [arn, priority] : wanted) {
      auto row = rule(tx, call, arn);
      row.priority = priority;
      row.shape.Priority = std::to_string(priority);
      tx.put(registry_.rules, arn, row);
      shown.push_back(row.shape);
    }
    return shown;
  };
  elbv2::SetRulePrioritiesOutput output;
  output.Rules = co_await store::transact(registry_.store(), body);
  co_await settle();
  co_return output;
}

}  // namespace sampan::elb
