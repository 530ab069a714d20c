#include "vpc/group_rules.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/text.h"
#include "vpc/cidr.h"

namespace sampan::vpc {
namespace {

namespace ec2 = api::ec2;

[[noreturn]] void invalid(const std::string& message) {
  throw aws::Fault("InvalidParameterValue", 400, message);
}

std::string parse_protocol(const std::string& given) {
  const auto text = core::to_lower(given);
  if (text == "-1" || text == "all") return "-1";
  if (text == "tcp" || text == "6") return "tcp";
  if (text == "udp" || text == "17") return "udp";
  if (text == "icmp" || text == "1") return "icmp";
  if (text == "icmpv6" || text == "58") return "icmpv6";
  const auto number = core::parse_int(text);
  if (!number || *number < 0 || *number > 255) {
    invalid(fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", given));
  }
  return std::to_string(*number);
}

void set_ports(GroupRule& rule, std::optional<int> from, std::optional<int> to) {
  if (rule.protocol == "tcp" || rule.protocol == "udp") {
    if (!from || !to)
      invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
    if (*from == -1 && *to == -1) from = 0, to = 65535;
    if (*from < 0 || *to > 65535) invalid(fmt::format("Invalid value '{}-{}' for portRange.", *from, *to));
    if (*from > *to) {
      invalid(fmt::format("Invalid value 'Must specify to port greater than or equal to from port' ({}-{}).",
                          *from, *to));
    }
    rule.from_port = *from;
    rule.to_port = *to;
  } else if (rule.protocol == "icmp" || rule.protocol == "icmpv6") {
    rule.from_port = from.value_or(-1);
    rule.to_port = to.value_or(-1);
    if (rule.from_port < -1 || rule.from_port > 255 || rule.to_port < -1 || rule.to_port > 255) {
      invalid(fmt::format("Invalid value '{}:{}' for ICMP type and code.", rule.from_port, rule.to_port));
    }
  }
}

std::string parse_block(const std::string& text) {
  const auto block = parse_cidr(text);
  if (!block) invalid(fmt::format("CIDR block {} is malformed", text));
  return to_string(*block);
}

std::string parse_block6(const std::string& text) {
  const auto slash = text.find('/');
  in6_addr address;
  const auto length = slash == std::string::npos ? std::nullopt : core::parse_int(text.substr(slash + 1));
  if (!length || *length < 0 || *length > 128 ||
      inet_pton(AF_INET6, text.substr(0, slash).c_str(), &address) != 1) {
    invalid(fmt::format("CIDR block {} is malformed", text));
  }
  char shown[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &address, shown, sizeof shown);
  return fmt::format("{}/{}", shown, *length);
}

void check_description(const std::string& text) {
  static constexpr std::string_view kAllowed = " ._-:/()#,@[]+=&;{}!$*";
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || kAllowed.find(c) != std::string_view::npos;
  };
  if (text.size() > 255) invalid("Invalid rule description: longer than 255 characters.");
  if (!std::all_of(text.begin(), text.end(), good)) {
    invalid(fmt::format(
        "Invalid rule description '{}'. Valid descriptions are strings less than 256 characters from "
        "the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*",
        text));
  }
}

// The permission in IpPermissions' form that old-style parameters stand for.
std::optional<ec2::IpPermission> old_style(const PermissionRequest& request) {
  if (!request.protocol && !request.cidr && !request.source_group) return std::nullopt;
  ec2::IpPermission permission;
  permission.IpProtocol = request.protocol.value_or("-1");
  permission.FromPort = request.from_port;
  permission.ToPort = request.to_port;
  if (request.cidr) permission.IpRanges.emplace().emplace_back().CidrIp = request.cidr;
  if (request.source_group)
    permission.UserIdGroupPairs.emplace().emplace_back().GroupName = request.source_group;
  return permission;
}

void add_rules(std::vector<GroupRule>& rules, const ec2::IpPermission& permission, bool egress,
               const ResolveGroup& resolve) {
  GroupRule base;
  base.egress = egress;
  if (!permission.IpProtocol) {
    throw aws::Fault("MissingParameter", 400, "The request must contain the parameter ipProtocol");
  }
  base.protocol = parse_protocol(*permission.IpProtocol);
  set_ports(base, permission.FromPort, permission.ToPort);
  const auto before = rules.size();
  const auto add = [&](const std::optional<std::string>& description) -> GroupRule& {
    check_description(description.value_or(""));
    rules.push_back(base);
    rules.back().description = description.value_or("");
    return rules.back();
  };
  if (permission.IpRanges) {
    for (const auto& range : *permission.IpRanges)
      add(range.Description).cidr4 = parse_block(range.CidrIp.value_or(""));
  }
  if (permission.Ipv6Ranges) {
    for (const auto& range : *permission.Ipv6Ranges) {
      add(range.Description).cidr6 = parse_block6(range.CidrIpv6.value_or(""));
    }
  }
  if (permission.UserIdGroupPairs) {
    for (const auto& pair : *permission.UserIdGroupPairs) {
      add(pair.Description).group_id = resolve(pair.GroupId, pair.GroupName);
    }
  }
  if (permission.PrefixListIds && !permission.PrefixListIds->empty()) {
    throw aws::Fault("InvalidPrefixListID.NotFound", 400,
                     "Prefix lists are not supported: name CIDR blocks instead");
  }
  if (rules.size() == before) {
    throw aws::Fault("MissingParameter", 400,
                     "A permission needs a CIDR block or a security group as its peer");
  }
}

}  // namespace

std::vector<GroupRule> parse_permissions(const PermissionRequest& request, const ResolveGroup& resolve) {
  std::vector<GroupRule> rules;
  if (request.permissions) {
    for (const auto& permission : *request.permissions) add_rules(rules, permission, request.egress, resolve);
  }
  if (const auto old = old_style(request)) add_rules(rules, *old, request.egress, resolve);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (rules[i].same_permission(rules[j])) invalid("The same permission must not appear multiple times");
    }
  }
  return rules;
}

std::vector<ec2::IpPermission> show_permissions(const std::vector<GroupRule>& rules, bool egress,
                                                const std::string& account) {
  std::map<std::tuple<std::string, int, int>, ec2::IpPermission> grouped;
  const auto text = [](const std::string& value) {
    return value.empty() ? std::nullopt : std::optional<std::string>(value);
  };
  for (const auto& rule : rules) {
    if (rule.egress != egress) continue;
    auto& shown = grouped[{rule.protocol, rule.from_port, rule.to_port}];
    if (!shown.IpProtocol) {
      shown.IpProtocol = rule.protocol;
      if (rule.protocol != "-1" && !core::parse_int(rule.protocol)) {
        shown.FromPort = rule.from_port;
        shown.ToPort = rule.to_port;
      }
      shown.IpRanges.emplace();
      shown.Ipv6Ranges.emplace();
      shown.UserIdGroupPairs.emplace();
      shown.PrefixListIds.emplace();
    }
    if (!rule.cidr4.empty()) {
      auto& range = shown.IpRanges->emplace_back();
      range.CidrIp = rule.cidr4;
      range.Description = text(rule.description);
    } else if (!rule.cidr6.empty()) {
      auto& range = shown.Ipv6Ranges->emplace_back();
      range.CidrIpv6 = rule.cidr6;
      range.Description = text(rule.description);
    } else {
      auto& pair = shown.UserIdGroupPairs->emplace_back();
      pair.GroupId = rule.group_id;
      pair.UserId = account;
      pair.Description = text(rule.description);
    }
  }
  std::vector<ec2::IpPermission> permissions;
  for (auto& [key, permission] : grouped) permissions.push_back(std::move(permission));
  return permissions;
}

std::string describe_rule(const GroupRule& rule) {
  const auto& peer = !rule.cidr4.empty() ? rule.cidr4 : !rule.cidr6.empty() ? rule.cidr6 : rule.group_id;
  if (rule.protocol == "-1") return fmt::format("peer: {}, ALL, ALLOW", peer);
  std::string name = rule.protocol;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return fmt::format("peer: {}, {}, from port: {}, to port: {}, ALLOW", peer, name, rule.from_port,
                     rule.to_port);
}

}  // namespace sampan::vpc
