// Authorize and Revoke: the rules of security groups.
#include <fmt/core.h>

#include <algorithm>

#include "vpc/ec2_api.h"
#include "vpc/group_rules.h"

namespace sampan::vpc {
namespace {

PermissionRequest read(const ec2::AuthorizeSecurityGroupIngressInput& input) {
  return {false,        input.IpPermissions,          input.IpProtocol, input.FromPort, input.ToPort,
          input.CidrIp, input.SourceSecurityGroupName};
}
PermissionRequest read(const ec2::RevokeSecurityGroupIngressInput& input) {
  return {false,        input.IpPermissions,          input.IpProtocol, input.FromPort, input.ToPort,
          input.CidrIp, input.SourceSecurityGroupName};
}
PermissionRequest read(const ec2::AuthorizeSecurityGroupEgressInput& input) {
  return {true,         input.IpPermissions,          input.IpProtocol, input.FromPort, input.ToPort,
          input.CidrIp, input.SourceSecurityGroupName};
}
PermissionRequest read(const ec2::RevokeSecurityGroupEgressInput& input) {
  return {true,         input.IpPermissions,          input.IpProtocol, input.FromPort, input.ToPort,
          input.CidrIp, input.SourceSecurityGroupName};
}

// Adds the rules with fresh ids to the group; they are the last ones of it afterwards.
void add_rules(GroupRow& group, std::vector<GroupRule> added, Topology& topology) {
  for (auto& rule : added) {
    const auto same = [&](const GroupRule& other) { return other.same_permission(rule); };
    if (std::any_of(group.rules.begin(), group.rules.end(), same)) {
      throw aws::Fault("InvalidPermission.Duplicate", 400,
                       fmt::format("the specified rule \"{}\" already exists", describe_rule(rule)));
    }
    rule.id = topology.new_id("sgr-");
    group.rules.push_back(std::move(rule));
  }
  for (const bool egress : {false, true}) {
    const auto count = std::count_if(group.rules.begin(), group.rules.end(),
                                     [&](const GroupRule& rule) { return rule.egress == egress; });
    if (static_cast<std::size_t>(count) > kMostRules) {
      throw aws::Fault(
          "RulesPerSecurityGroupLimitExceeded", 400,
          fmt::format("The maximum number of rules per security group has been reached ({})", kMostRules));
    }
  }
}

ec2::RevokedSecurityGroupRule show_revoked(const GroupRow& group, const GroupRule& rule) {
  ec2::RevokedSecurityGroupRule shown;
  shown.SecurityGroupRuleId = rule.id;
  shown.GroupId = group.id;
  shown.IsEgress = rule.egress;
  shown.IpProtocol = rule.protocol;
  shown.FromPort = rule.from_port;
  shown.ToPort = rule.to_port;
  if (!rule.cidr4.empty()) shown.CidrIpv4 = rule.cidr4;
  if (!rule.cidr6.empty()) shown.CidrIpv6 = rule.cidr6;
  if (!rule.group_id.empty()) shown.ReferencedGroupId = rule.group_id;
  if (!rule.description.empty()) shown.Description = rule.description;
  return shown;
}

std::vector<GroupRule> take_rules(GroupRow& group, bool egress,
                                  const std::optional<std::vector<std::string>>& ids,
                                  const std::vector<GroupRule>& like) {
  std::vector<GroupRule> taken;
  const auto take = [&](const auto& is_it, const std::string& code, const std::string& message) {
    const auto found = std::find_if(group.rules.begin(), group.rules.end(), is_it);
    if (found == group.rules.end()) throw aws::Fault(code, 400, message);
    taken.push_back(std::move(*found));
    group.rules.erase(found);
  };
  if (ids) {
    for (const auto& id : *ids) {
      take([&](const GroupRule& rule) { return rule.id == id && rule.egress == egress; },
           "InvalidSecurityGroupRuleId.NotFound",
           fmt::format("The security group rule ID '{}' does not exist", id));
    }
  }
  for (const auto& wanted_rule : like) {
    take([&](const GroupRule& rule) { return rule.same_permission(wanted_rule); },
         "InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
  }
  return taken;
}

void require_something(const PermissionRequest& request, const std::optional<std::vector<std::string>>& ids) {
  const bool given = (request.permissions && !request.permissions->empty()) || request.protocol ||
                     request.cidr || request.source_group || (ids && !ids->empty());
  if (!given) {
    throw aws::Fault("MissingParameter", 400,
                     "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.");
  }
}

}  // namespace

// The same four steps for both directions; only the shapes of input and output differ.
template <class Output, class Input, class Find, class Show>
static boost::asio::awaitable<Output> authorize(Topology& topology, const aws::Call& call, const Input& input,
                                                std::optional<std::string> name, Find find, Show show) {
  auto body = [&](store::Txn& tx) {
    const auto request = read(input);
    require_something(request, std::nullopt);
    auto group = find(tx, std::optional<std::string>(input.GroupId), name);
    const auto before = group.rules.size();
    add_rules(
        group,
        parse_permissions(request, [&](const auto& id, const auto& peer) { return find(tx, id, peer).id; }),
        topology);
    check_dry_run(input.DryRun);
    tx.put(topology.groups, Topology::key(call.account, call.region, group.id), group);
    Output output;
    output.Return = true;
    output.SecurityGroupRules.emplace();
    for (auto i = before; i < group.rules.size(); ++i) {
      output.SecurityGroupRules->push_back(show(tx, group, group.rules[i]));
    }
    return output;
  };
  co_return co_await store::transact(topology.store(), body);
}

template <class Output, class Input, class Find, class Forget>
static boost::asio::awaitable<Output> revoke(Topology& topology, const aws::Call& call, const Input& input,
                                             std::optional<std::string> name, Find find, Forget forget) {
  auto body = [&](store::Txn& tx) {
    const auto request = read(input);
    require_something(request, input.SecurityGroupRuleIds);
    auto group = find(tx, std::optional<std::string>(input.GroupId), name);
    const auto like =
        parse_permissions(request, [&](const auto& id, const auto& peer) { return find(tx, id, peer).id; });
    const auto taken = take_rules(group, request.egress, input.SecurityGroupRuleIds, like);
    check_dry_run(input.DryRun);
    tx.put(topology.groups, Topology::key(call.account, call.region, group.id), group);
    Output output;
    output.Return = true;
    output.RevokedSecurityGroupRules.emplace();
    for (const auto& rule : taken) {
      output.RevokedSecurityGroupRules->push_back(show_revoked(group, rule));
      forget(tx, rule.id);
    }
    return output;
  };
  co_return co_await store::transact(topology.store(), body);
}

boost::asio::awaitable<ec2::AuthorizeSecurityGroupIngressOutput> Ec2Api::AuthorizeSecurityGroupIngress(
    const aws::Call& call, ec2::AuthorizeSecurityGroupIngressInput input) {
  const auto find = [&](store::Txn& tx, const auto& id, const auto& name) {
    return find_group(tx, call, id, name);
  };
  const auto show_rule = [&](store::Txn& tx, const GroupRow& group, const GroupRule& rule) {
    auto shown = show(call, group, rule);
    shown.Tags = put_tags(tx, call, rule.id, "security-group-rule", input.TagSpecifications);
    return shown;
  };
  auto work = authorize<ec2::AuthorizeSecurityGroupIngressOutput>(topology_, call, input, input.GroupName,
                                                                  find, show_rule);
  co_return co_await std::move(work);
}

boost::asio::awaitable<ec2::AuthorizeSecurityGroupEgressOutput> Ec2Api::AuthorizeSecurityGroupEgress(
    const aws::Call& call, ec2::AuthorizeSecurityGroupEgressInput input) {
  const auto find = [&](store::Txn& tx, const auto& id, const auto& name) {
    return find_group(tx, call, id, name);
  };
  const auto show_rule = [&](store::Txn& tx, const GroupRow& group, const GroupRule& rule) {
    auto shown = show(call, group, rule);
    shown.Tags = put_tags(tx, call, rule.id, "security-group-rule", input.TagSpecifications);
    return shown;
  };
  auto work = authorize<ec2::AuthorizeSecurityGroupEgressOutput>(topology_, call, input, std::nullopt, find,
                                                                 show_rule);
  co_return co_await std::move(work);
}

boost::asio::awaitable<ec2::RevokeSecurityGroupIngressOutput> Ec2Api::RevokeSecurityGroupIngress(
    const aws::Call& call, ec2::RevokeSecurityGroupIngressInput input) {
  const auto find = [&](store::Txn& tx, const auto& id, const auto& name) {
    return find_group(tx, call, id, name);
  };
  const auto forget = [&](store::Txn& tx, const std::string& id) { erase_tags(tx, call, id); };
  auto work =
      revoke<ec2::RevokeSecurityGroupIngressOutput>(topology_, call, input, input.GroupName, find, forget);
  co_return co_await std::move(work);
}

boost::asio::awaitable<ec2::RevokeSecurityGroupEgressOutput> Ec2Api::RevokeSecurityGroupEgress(
    const aws::Call& call, ec2::RevokeSecurityGroupEgressInput input) {
  const auto find = [&](store::Txn& tx, const auto& id, const auto& name) {
    return find_group(tx, call, id, name);
  };
  const auto forget = [&](store::Txn& tx, const std::string& id) { erase_tags(tx, call, id); };
  auto work =
      revoke<ec2::RevokeSecurityGroupEgressOutput>(topology_, call, input, std::nullopt, find, forget);
  co_return co_await std::move(work);
}

}  // namespace sampan::vpc
