// Security group permissions as requests write them, and as rules: one rule has one peer. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/ec2.h"
#include "vpc/rows.h"

namespace sampan::vpc {

inline constexpr std::size_t kMostRules = 60;  // of a group, in each direction

// What an Authorize or Revoke request carries, old and new style in one.
struct PermissionRequest {
  bool egress = false;
  std::optional<std::vector<api::ec2::IpPermission>> permissions;
  std::optional<std::string> protocol;
  std::optional<int> from_port;
  std::optional<int> to_port;
  std::optional<std::string> cidr;
  std::optional<std::string> source_group;  // a group's name
};

// A group's id from its id or its name; throws InvalidGroup.NotFound.
using ResolveGroup =
    std::function<std::string(const std::optional<std::string>& id, const std::optional<std::string>& name)>;

// Rules without ids, protocols and blocks in their usual form. Throws EC2's faults for bad input.
std::vector<GroupRule> parse_permissions(const PermissionRequest& request, const ResolveGroup& resolve);

// The other way: rules of one direction, grouped by protocol and ports, as DescribeSecurityGroups shows them.
std::vector<api::ec2::IpPermission> show_permissions(const std::vector<GroupRule>& rules, bool egress,
                                                     const std::string& account);

// "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW"
std::string describe_rule(const GroupRule& rule);

}  // namespace sampan::vpc
