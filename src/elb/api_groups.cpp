// Target groups.
#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"
#include "elb/elb_api.h"
#include "elb/matcher.h"
#include "elb/names.h"

namespace sampan::elb {
namespace {

void between(int value, int least, int most, std::string_view what) {
  if (value < least || value > most) {
    invalid(fmt::format("{} '{}' must be between '{}' and '{}'", what, value, least, most));
  }
}

void check_group(const elbv2::TargetGroup& group) {
  const auto& port = *group.HealthCheckPort;
  const auto number = core::parse_int(port);
  if (port != "traffic-port" && (!number || *number < 1 || *number > 65535)) {
    invalid(fmt::format("Health check port '{}' must be in the range 1-65535 or 'traffic-port'", port));
  }
  if (group.HealthCheckProtocol != "HTTP" && group.HealthCheckProtocol != "HTTPS") {
    invalid(fmt::format("Health check protocol '{}' must be HTTP or HTTPS for this target group",
                        *group.HealthCheckProtocol));
  }
  if (group.HealthCheckEnabled == false)
    invalid("Health checks cannot be disabled for target groups of type ip");
  const auto& path = *group.HealthCheckPath;
  const auto printable = [](unsigned char c) { return c > 32 && c < 127; };
  if (path.size() > 1024 || !path.starts_with('/') || !std::all_of(path.begin(), path.end(), printable)) {
    invalid("A health check path begins with '/' and has at most 1024 printable characters");
  }
  between(*group.HealthCheckIntervalSeconds, 5, 300, "Health check interval");
  between(*group.HealthCheckTimeoutSeconds, 2, 120, "Health check timeout");
  between(*group.HealthyThresholdCount, 2, 10, "Healthy threshold count");
  between(*group.UnhealthyThresholdCount, 2, 10, "Unhealthy threshold count");
  if (*group.HealthCheckTimeoutSeconds >= *group.HealthCheckIntervalSeconds) {
    invalid(fmt::format("Health check interval '{}' must be greater than the timeout '{}'",
                        *group.HealthCheckIntervalSeconds, *group.HealthCheckTimeoutSeconds));
  }
  if (group.Matcher->GrpcCode || !group.Matcher->HttpCode)
    invalid("The matcher of this target group needs an HttpCode");
  if (!valid_matcher(*group.Matcher->HttpCode)) {
    invalid(fmt::format("Health check matcher HTTP code '{}' must be within '200-499'",
                        *group.Matcher->HttpCode));
  }
}

// What a request says about health checks, over what holds so far.
template <class Input>
void take_health_check(elbv2::TargetGroup& group, const Input& input) {
  if (input.HealthCheckProtocol) group.HealthCheckProtocol = input.HealthCheckProtocol;
  if (input.HealthCheckPort) group.HealthCheckPort = input.HealthCheckPort;
  if (input.HealthCheckEnabled) group.HealthCheckEnabled = input.HealthCheckEnabled;
  if (input.HealthCheckPath) group.HealthCheckPath = input.HealthCheckPath;
  if (input.HealthCheckIntervalSeconds) group.HealthCheckIntervalSeconds = input.HealthCheckIntervalSeconds;
  if (input.HealthCheckTimeoutSeconds) group.HealthCheckTimeoutSeconds = input.HealthCheckTimeoutSeconds;
  if (input.HealthyThresholdCount) group.HealthyThresholdCount = input.HealthyThresholdCount;
  if (input.UnhealthyThresholdCount) group.UnhealthyThresholdCount = input.UnhealthyThresholdCount;
  if (input.Matcher) group.Matcher = input.Matcher;
}

elbv2::TargetGroup new_group(const elbv2::CreateTargetGroupInput& input) {
  elbv2::TargetGroup group;
  const auto type = input.TargetType.value_or("instance");
  if (type != "ip" && type != "instance") {
    throw elbv2::InvalidConfigurationRequestException(
        fmt::format("Target type '{}' is not supported: use 'ip' (tasks of network mode awsvpc)", type));
  }
  if (!input.Protocol) invalid("A protocol must be specified");
  if (input.Protocol != "HTTP" && input.Protocol != "HTTPS") {
    throw elbv2::InvalidConfigurationRequestException(
        fmt::format("Target groups of protocol '{}' are not supported: use HTTP or HTTPS", *input.Protocol));
  }
  if (!input.Port) invalid("A port must be specified");
  if (!input.VpcId || input.VpcId->empty()) invalid("A VPC ID must be specified");
  between(*input.Port, 1, 65535, "Port");
  const auto version = input.ProtocolVersion.value_or("HTTP1");
  if (version != "HTTP1" && version != "HTTP2") {
    throw elbv2::InvalidConfigurationRequestException(
        fmt::format("Protocol version '{}' is not supported: use HTTP1 or HTTP2", version));
  }
  if (input.IpAddressType.value_or("ipv4") != "ipv4") {
    throw elbv2::InvalidConfigurationRequestException(
        "Only target groups of IP address type 'ipv4' are supported");
  }
  group.TargetGroupName = input.Name;
  group.TargetType = type;
  group.Protocol = input.Protocol;
  group.ProtocolVersion = version;
  group.Port = input.Port;
  group.VpcId = input.VpcId;
  group.IpAddressType = "ipv4";
  group.HealthCheckProtocol = "HTTP";
  group.HealthCheckPort = "traffic-port";
  group.HealthCheckEnabled = true;
  group.HealthCheckPath = "/";
  group.HealthCheckIntervalSeconds = 30;
  group.HealthCheckTimeoutSeconds = 5;
  group.HealthyThresholdCount = 5;
  group.UnhealthyThresholdCount = 2;
  group.Matcher.emplace().HttpCode = "200";
  take_health_check(group, input);
  check_group(group);
  return group;
}

bool same_settings(elbv2::TargetGroup a, const elbv2::TargetGroup& b) {
  a.TargetGroupArn = b.TargetGroupArn;
  return a == b;
}

}  // namespace

elbv2::TargetGroup ElbApi::show(const GroupRow& row, const std::set<std::string>& balancers) const {
  auto shown = row.shape;
  shown.LoadBalancerArns.emplace(balancers.begin(), balancers.end());
  return shown;
}

boost::asio::awaitable<elbv2::CreateTargetGroupOutput> ElbApi::CreateTargetGroup(
    const aws::Call& call, elbv2::CreateTargetGroupInput input) {
  if (const auto fault = name_fault(input.Name, "Target group"); !fault.empty()) invalid(fault);
  GroupRow made;
  made.shape = new_group(input);
  made.attributes = default_attributes(AttributeOwner::kGroup);
  auto body = [&](store::Txn& tx) {
    std::size_t count = 0;
    const auto prefix = arn_prefix(call.account, call.region);
    for (auto it = registry_.groups.lower_bound(prefix);
         it != registry_.groups.end() && it->first.starts_with(prefix); ++it, ++count) {
      const auto& other = it->second.value;
      if (other.shape.TargetGroupName != input.Name) continue;
      if (!same_settings(made.shape, other.shape)) {
        throw elbv2::DuplicateTargetGroupNameException(fmt::format(
            "A target group with the same name '{}' exists, but with different settings", input.Name));
      }
      return other;
    }
    if (count >= kMostGroups) {
      throw elbv2::TooManyTargetGroupsException(
          fmt::format("The maximum number of target groups has been reached: {}", kMostGroups));
    }
    auto row = made;
    row.shape.TargetGroupArn = new_arn(call, fmt::format("targetgroup/{}/{}", input.Name, ids_.hex(16)));
    tx.put(registry_.groups, *row.shape.TargetGroupArn, row);
    put_tags(tx, *row.shape.TargetGroupArn, input.Tags);
    return row;
  };
  const auto row = co_await store::transact(registry_.store(), body);
  elbv2::CreateTargetGroupOutput output;
  output.TargetGroups.emplace().push_back(show(row, registry_.balancers_of_group(*row.shape.TargetGroupArn)));
  co_return output;
}

boost::asio::awaitable<elbv2::ModifyTargetGroupOutput> ElbApi::ModifyTargetGroup(
    const aws::Call& call, elbv2::ModifyTargetGroupInput input) {
  auto body = [&](store::Txn& tx) {
    auto row = group(tx, call, input.TargetGroupArn);
    take_health_check(row.shape, input);
    check_group(row.shape);
    tx.put(registry_.groups, input.TargetGroupArn, row);
    return row;
  };
  const auto row = co_await store::transact(registry_.store(), body);
  co_await settle();
  elbv2::ModifyTargetGroupOutput output;
  output.TargetGroups.emplace().push_back(show(row, registry_.balancers_of_group(input.TargetGroupArn)));
  co_return output;
}

boost::asio::awaitable<elbv2::DeleteTargetGroupOutput> ElbApi::DeleteTargetGroup(
    const aws::Call& call, elbv2::DeleteTargetGroupInput input) {
  auto body = [&](store::Txn& tx) {
    if (!tx.get(registry_.groups, input.TargetGroupArn)) return;  // gone already
    group(tx, call, input.TargetGroupArn);
    if (!registry_.balancers_of_group(input.TargetGroupArn).empty()) {
      throw elbv2::ResourceInUseException(
          fmt::format("Target group '{}' is currently in use by a listener or a rule", input.TargetGroupArn));
    }
    std::vector<std::string> keys;
    for (const auto* target : registry_.targets_of(input.TargetGroupArn)) {
      keys.push_back(target_key(target->group_arn, target->address, target->port));
    }
    for (const auto& key : keys) tx.erase(registry_.targets, key);
    tx.erase(registry_.groups, input.TargetGroupArn);
    erase_tags(tx, input.TargetGroupArn);
  };
  co_await store::transact(registry_.store(), body);
  co_return elbv2::DeleteTargetGroupOutput{};
}

boost::asio::awaitable<elbv2::DescribeTargetGroupsOutput> ElbApi::DescribeTargetGroups(
    const aws::Call& call, elbv2::DescribeTargetGroupsInput input) {
  const bool by_arn = input.TargetGroupArns && !input.TargetGroupArns->empty();
  const bool by_name = input.Names && !input.Names->empty();
  if (by_arn + by_name + input.LoadBalancerArn.has_value() > 1) {
    invalid("Target group names, ARNs and a load balancer's ARN cannot be specified at the same time");
  }
  if (input.LoadBalancerArn) balancer(call, *input.LoadBalancerArn);
  auto users = registry_.group_users();
  std::vector<elbv2::TargetGroup> shown;
  std::set<std::string> names;
  if (by_arn) {
    for (const auto& arn : *input.TargetGroupArns) shown.push_back(show(group(call, arn), users[arn]));
  } else {
    const auto prefix = arn_prefix(call.account, call.region);
    for (auto it = registry_.groups.lower_bound(prefix);
         it != registry_.groups.end() && it->first.starts_with(prefix); ++it) {
      const auto& name = *it->second.value.shape.TargetGroupName;
      if (by_name && std::find(input.Names->begin(), input.Names->end(), name) == input.Names->end())
        continue;
      if (input.LoadBalancerArn && !users[it->first].contains(*input.LoadBalancerArn)) continue;
      names.insert(name);
      shown.push_back(show(it->second.value, users[it->first]));
    }
  }
  for (const auto& name : input.Names.value_or(std::vector<std::string>{})) {
    if (!names.contains(name))
      throw elbv2::TargetGroupNotFoundException("One or more target groups not found");
  }
  elbv2::DescribeTargetGroupsOutput output;
  cut_page(shown, input.Marker, input.PageSize, output.NextMarker);
  output.TargetGroups = std::move(shown);
  co_return output;
}

}  // namespace sampan::elb
