// Security groups.
#include <fmt/core.h>

#include <algorithm>

#include "vpc/ec2_api.h"
#include "vpc/group_rules.h"

namespace sampan::vpc {

using Values = std::vector<std::string>;

namespace {

constexpr std::size_t kLongestName = 255;

void check_text(const std::string& text, std::string_view what) {
  static constexpr std::string_view kAllowed = " ._-:/()#,@[]+=&;{}!$*";
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || kAllowed.find(c) != std::string_view::npos;
  };
  if (text.empty() || text.size() > kLongestName || !std::all_of(text.begin(), text.end(), good)) {
    throw aws::Fault("InvalidParameterValue", 400,
                     fmt::format("Value ({}) for parameter {} is invalid. It has 1 to {} characters of "
                                 "a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*",
                                 text, what, kLongestName));
  }
}

template <class Pick>
Values of_rules(const GroupRow& row, bool egress, Pick pick) {
  Values values;
  for (const auto& rule : row.rules) {
    if (rule.egress == egress) values.push_back(pick(rule));
  }
  return values;
}

std::optional<Values> group_values(const GroupRow& row, std::string_view name) {
  if (name == "group-id") return Values{row.id};
  if (name == "group-name") return Values{row.name};
  if (name == "vpc-id") return Values{row.vpc_id};
  if (name == "description") return Values{row.description};
  if (name == "owner-id") return Values{row.account};
  const bool egress = name.starts_with("egress.");
  if (egress) name.remove_prefix(7);
  if (name == "ip-permission.cidr") return of_rules(row, egress, [](const auto& r) { return r.cidr4; });
  if (name == "ip-permission.group-id")
    return of_rules(row, egress, [](const auto& r) { return r.group_id; });
  if (name == "ip-permission.protocol")
    return of_rules(row, egress, [](const auto& r) { return r.protocol; });
  if (name == "ip-permission.from-port") {
    return of_rules(row, egress, [](const auto& r) { return std::to_string(r.from_port); });
  }
  if (name == "ip-permission.to-port") {
    return of_rules(row, egress, [](const auto& r) { return std::to_string(r.to_port); });
  }
  return std::nullopt;
}

}  // namespace

ec2::SecurityGroup Ec2Api::show(const aws::Call& call, const GroupRow& row) const {
  ec2::SecurityGroup group;
  group.GroupId = row.id;
  group.GroupName = row.name;
  group.Description = row.description;
  group.VpcId = row.vpc_id;
  group.OwnerId = row.account;
  group.SecurityGroupArn =
      fmt::format("arn:aws:ec2:{}:{}:security-group/{}", row.region, row.account, row.id);
  group.IpPermissions = show_permissions(row.rules, false, row.account);
  group.IpPermissionsEgress = show_permissions(row.rules, true, row.account);
  group.Tags = shown_tags(call, row.id);
  return group;
}

GroupRow Ec2Api::find_group(store::Txn& tx, const aws::Call& call, const std::optional<std::string>& id,
                            const std::optional<std::string>& name) const {
  topology_.ensure_default(tx, call.account, call.region);
  std::optional<std::string> wanted_id = id;
  if (!wanted_id && name) {
    // A bare name means the default VPC's group.
    for (const auto& row : rows_of(topology_.groups, call)) {
      const auto* vpc = topology_.vpcs.find(Topology::key(call.account, call.region, row.vpc_id));
      if (row.name == *name && vpc && vpc->is_default) wanted_id = row.id;
    }
    if (!wanted_id) {
      throw aws::Fault("InvalidGroup.NotFound", 400,
                       fmt::format("The security group '{}' does not exist in default VPC", *name));
    }
  }
  if (!wanted_id) {
    throw aws::Fault("MissingParameter", 400, "The request must contain the parameter groupName or groupId");
  }
  auto row = tx.get(topology_.groups, Topology::key(call.account, call.region, *wanted_id));
  if (!row) {
    throw aws::Fault("InvalidGroup.NotFound", 400,
                     fmt::format("The security group '{}' does not exist", *wanted_id));
  }
  return *std::move(row);
}

boost::asio::awaitable<ec2::CreateSecurityGroupOutput> Ec2Api::CreateSecurityGroup(
    const aws::Call& call, ec2::CreateSecurityGroupInput input) {
  check_text(input.GroupName, "groupName");
  check_text(input.Description, "groupDescription");
  if (input.GroupName.starts_with("sg-")) {
    throw aws::Fault(
        "InvalidParameterValue", 400,
        fmt::format("Value ({}) for parameter groupName is invalid. Names cannot begin with 'sg-'.",
                    input.GroupName));
  }
  auto body = [&](store::Txn& tx) {
    topology_.ensure_default(tx, call.account, call.region);
    auto vpc_id = input.VpcId.value_or("");
    if (vpc_id.empty()) {
      if (const auto note = tx.get(topology_.defaults, call.account + "/" + call.region)) vpc_id = note->text;
    }
    if (!tx.get(topology_.vpcs, Topology::key(call.account, call.region, vpc_id))) {
      throw aws::Fault("InvalidVpcID.NotFound", 400, fmt::format("The vpc ID '{}' does not exist", vpc_id));
    }
    for (const auto& other : rows_of(topology_.groups, call)) {
      if (other.vpc_id == vpc_id && other.name == input.GroupName) {
        throw aws::Fault(
            "InvalidGroup.Duplicate", 400,
            fmt::format("The security group '{}' already exists for VPC '{}'", input.GroupName, vpc_id));
      }
    }
    if (input.GroupName == "default") {
      throw aws::Fault("InvalidGroup.Duplicate", 400,
                       fmt::format("The security group 'default' already exists for VPC '{}'", vpc_id));
    }
    check_dry_run(input.DryRun);
    GroupRow row{topology_.new_id("sg-"), call.account,     call.region, vpc_id,
                 input.GroupName,         input.Description};
    GroupRule out{topology_.new_id("sgr-"), true, "-1"};
    out.cidr4 = "0.0.0.0/0";
    row.rules = {out};
    tx.put(topology_.groups, Topology::key(call.account, call.region, row.id), row);
    ec2::CreateSecurityGroupOutput output;
    output.GroupId = row.id;
    output.SecurityGroupArn =
        fmt::format("arn:aws:ec2:{}:{}:security-group/{}", row.region, row.account, row.id);
    output.Tags = put_tags(tx, call, row.id, "security-group", input.TagSpecifications);
    return output;
  };
  co_return co_await store::transact(topology_.store(), body);
}

std::optional<std::string> Ec2Api::user_of_group(const aws::Call& call, const std::string& id) const {
  for (const auto& [key, row] : topology_.interfaces) {
    const auto& groups = row.value.groups;
    if (std::find(groups.begin(), groups.end(), id) != groups.end()) return key;
  }
  for (const auto& group : rows_of(topology_.groups, call)) {
    const auto names_it = [&](const GroupRule& rule) { return rule.group_id == id; };
    if (group.id != id && std::any_of(group.rules.begin(), group.rules.end(), names_it)) return group.id;
  }
  return std::nullopt;
}

boost::asio::awaitable<ec2::DeleteSecurityGroupOutput> Ec2Api::DeleteSecurityGroup(
    const aws::Call& call, ec2::DeleteSecurityGroupInput input) {
  auto body = [&](store::Txn& tx) {
    const auto row = find_group(tx, call, input.GroupId, input.GroupName);
    if (row.name == "default") {
      throw aws::Fault(
          "CannotDelete", 400,
          fmt::format("the specified group: \"{}\" name: \"default\" cannot be deleted by a user", row.id));
    }
    if (user_of_group(call, row.id)) {
      throw aws::Fault("DependencyViolation", 400, fmt::format("resource {} has a dependent object", row.id));
    }
    check_dry_run(input.DryRun);
    tx.erase(topology_.groups, Topology::key(call.account, call.region, row.id));
    erase_tags(tx, call, row.id);
    for (const auto& rule : row.rules) erase_tags(tx, call, rule.id);
    ec2::DeleteSecurityGroupOutput output;
    output.Return = true;
    output.GroupId = row.id;
    return output;
  };
  co_return co_await store::transact(topology_.store(), body);
}

boost::asio::awaitable<ec2::DescribeSecurityGroupsOutput> Ec2Api::DescribeSecurityGroups(
    const aws::Call& call, ec2::DescribeSecurityGroupsInput input) {
  check_dry_run(input.DryRun);
  co_await topology_.ensure_default(call.account, call.region);
  std::vector<ec2::SecurityGroup> groups;
  Values ids;
  Values names;
  for (const auto& row : rows_of(topology_.groups, call)) {
    if (!wanted(input.GroupIds, row.id) || !wanted(input.GroupNames, row.name)) continue;
    ids.push_back(row.id);
    names.push_back(row.name);
    const auto values = [&](std::string_view name) { return group_values(row, name); };
    if (matches(input.Filters, tags_of(call, row.id), values)) groups.push_back(show(call, row));
  }
  require_found(input.GroupIds, ids, "InvalidGroup.NotFound", "security group");
  require_found(input.GroupNames, names, "InvalidGroup.NotFound", "security group");
  ec2::DescribeSecurityGroupsOutput output;
  output.NextToken = cut_page(groups, input.MaxResults, input.NextToken);
  output.SecurityGroups = std::move(groups);
  co_return output;
}

ec2::SecurityGroupRule Ec2Api::show(const aws::Call& call, const GroupRow& group,
                                    const GroupRule& rule) const {
  ec2::SecurityGroupRule shown;
  shown.SecurityGroupRuleId = rule.id;
  shown.SecurityGroupRuleArn =
      fmt::format("arn:aws:ec2:{}:{}:security-group-rule/{}", group.region, group.account, rule.id);
  shown.GroupId = group.id;
  shown.GroupOwnerId = group.account;
  shown.IsEgress = rule.egress;
  shown.IpProtocol = rule.protocol;
  shown.FromPort = rule.from_port;
  shown.ToPort = rule.to_port;
  if (!rule.cidr4.empty()) shown.CidrIpv4 = rule.cidr4;
  if (!rule.cidr6.empty()) shown.CidrIpv6 = rule.cidr6;
  if (!rule.group_id.empty()) {
    auto& peer = shown.ReferencedGroupInfo.emplace();
    peer.GroupId = rule.group_id;
    peer.UserId = group.account;
  }
  if (!rule.description.empty()) shown.Description = rule.description;
  shown.Tags = shown_tags(call, rule.id);
  return shown;
}

boost::asio::awaitable<ec2::DescribeSecurityGroupRulesOutput> Ec2Api::DescribeSecurityGroupRules(
    const aws::Call& call, ec2::DescribeSecurityGroupRulesInput input) {
  check_dry_run(input.DryRun);
  co_await topology_.ensure_default(call.account, call.region);
  std::vector<ec2::SecurityGroupRule> rules;
  Values found;
  for (const auto& group : rows_of(topology_.groups, call)) {
    for (const auto& rule : group.rules) {
      if (!wanted(input.SecurityGroupRuleIds, rule.id)) continue;
      found.push_back(rule.id);
      const auto values = [&](std::string_view name) -> std::optional<Values> {
        if (name == "group-id") return Values{group.id};
        if (name == "security-group-rule-id") return Values{rule.id};
        return std::nullopt;
      };
      if (matches(input.Filters, tags_of(call, rule.id), values)) rules.push_back(show(call, group, rule));
    }
  }
  require_found(input.SecurityGroupRuleIds, found, "InvalidSecurityGroupRuleId.NotFound",
                "security group rule");
  ec2::DescribeSecurityGroupRulesOutput output;
  output.NextToken = cut_page(rules, input.MaxResults, input.NextToken);
  output.SecurityGroupRules = std::move(rules);
  co_return output;
}

}  // namespace sampan::vpc
