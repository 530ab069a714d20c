// Targets and their health.
#include <fmt/core.h>

#include <algorithm>

#include "elb/elb_api.h"
#include "elb/group_targets.h"
#include "elb/target_judge.h"
#include "vpc/cidr.h"

namespace sampan::elb {
namespace {

// Where a target may be: private networks, as on AWS, and this machine itself.
bool may_be_target(vpc::Ipv4 address) {
  for (const auto* block :
       {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"}) {
    if (vpc::parse_cidr(block)->contains(address)) return true;
  }
  return false;
}

Target checked_target(const GroupRow& group, const elbv2::TargetDescription& given) {
  if (group.shape.TargetType != "ip") {
    throw elbv2::InvalidTargetException(fmt::format(
        "The instance '{}' does not exist: target groups of type 'ip' take addresses, as tasks have them",
        given.Id));
  }
  const auto address = vpc::parse_ipv4(given.Id);
  if (!address) invalid(fmt::format("The IP address '{}' is not a valid IPv4 address", given.Id));
  if (!may_be_target(*address)) {
    throw elbv2::InvalidTargetException(fmt::format(
        "The IP address '{}' is not in a private network: targets are in 10.0.0.0/8, 172.16.0.0/12, "
        "192.168.0.0/16 or 100.64.0.0/10",
        given.Id));
  }
  const int port = given.Port.value_or(group.shape.Port.value_or(80));
  if (port < 1 || port > 65535) invalid(fmt::format("Port '{}' must be between '1' and '65535'", port));
  return {*group.shape.TargetGroupArn, given.Id, port};
}

elbv2::TargetHealthDescription show_health(const GroupRow& group, const Target& target,
                                           const std::string& zone, const TargetHealth& health) {
  elbv2::TargetHealthDescription shown;
  auto& described = shown.Target.emplace();
  described.Id = target.address;
  described.Port = target.port;
  if (!zone.empty()) described.AvailabilityZone = zone;
  const auto port = group.shape.HealthCheckPort.value_or("traffic-port");
  shown.HealthCheckPort = port == "traffic-port" ? std::to_string(target.port) : port;
  auto& state = shown.TargetHealth.emplace();
  state.State = health.state;
  if (!health.reason.empty()) state.Reason = health.reason;
  if (!health.description.empty()) state.Description = health.description;
  return shown;
}

}  // namespace

boost::asio::awaitable<elbv2::RegisterTargetsOutput> ElbApi::RegisterTargets(
    const aws::Call& call, elbv2::RegisterTargetsInput input) {
  auto body = [&](store::Txn& tx) {
    const auto row = group(tx, call, input.TargetGroupArn);
    std::set<std::string> keys;
    for (const auto* target : registry_.targets_of(input.TargetGroupArn)) {
      keys.insert(target_key(target->group_arn, target->address, target->port));
    }
    for (const auto& given : input.Targets) {
      const auto target = checked_target(row, given);
      put_target(tx, registry_, target, given.AvailabilityZone.value_or(""), call.now);
      keys.insert(target_key(target.group_arn, target.address, target.port));
    }
    if (keys.size() > kMostTargets) {
      throw elbv2::TooManyTargetsException(
          fmt::format("A target group can have at most {} targets", kMostTargets));
    }
  };
  co_await store::transact(registry_.store(), body);
  co_return elbv2::RegisterTargetsOutput{};
}

boost::asio::awaitable<elbv2::DeregisterTargetsOutput> ElbApi::DeregisterTargets(
    const aws::Call& call, elbv2::DeregisterTargetsInput input) {
  auto body = [&](store::Txn& tx) {
    const auto row = group(tx, call, input.TargetGroupArn);
    for (const auto& given : input.Targets) {
      // Without a port: every registration of that address. One that is not registered is deregistered.
      if (given.Port) {
        drain_target(tx, registry_, {input.TargetGroupArn, given.Id, *given.Port}, call.now);
        continue;
      }
      std::vector<int> ports;
      for (const auto* target : registry_.targets_of(input.TargetGroupArn)) {
        if (target->address == given.Id) ports.push_back(target->port);
      }
      for (const int port : ports)
        drain_target(tx, registry_, {input.TargetGroupArn, given.Id, port}, call.now);
    }
  };
  co_await store::transact(registry_.store(), body);
  co_return elbv2::DeregisterTargetsOutput{};
}

boost::asio::awaitable<elbv2::DescribeTargetHealthOutput> ElbApi::DescribeTargetHealth(
    const aws::Call& call, elbv2::DescribeTargetHealthInput input) {
  const auto& row = group(call, input.TargetGroupArn);
  elbv2::DescribeTargetHealthOutput output;
  auto& shown = output.TargetHealthDescriptions.emplace();
  const auto show_target = [&](const Target& target, const std::string& zone) {
    shown.push_back(
        show_health(row, target, zone, data_plane_.health(target.group_arn, target.address, target.port)));
  };
  const auto registered = registry_.targets_of(input.TargetGroupArn);
  if (!input.Targets || input.Targets->empty()) {
    for (const auto* target : registered) {
      show_target({target->group_arn, target->address, target->port}, target->zone);
    }
    co_return output;
  }
  for (const auto& wanted : *input.Targets) {
    bool found = false;
    for (const auto* target : registered) {
      if (target->address != wanted.Id || (wanted.Port && *wanted.Port != target->port)) continue;
      show_target({target->group_arn, target->address, target->port}, target->zone);
      found = true;
    }
    if (found) continue;
    const Target unknown{input.TargetGroupArn, wanted.Id, wanted.Port.value_or(row.shape.Port.value_or(0))};
    shown.push_back(show_health(row, unknown, "", not_registered()));
  }
  co_return output;
}

}  // namespace sampan::elb
