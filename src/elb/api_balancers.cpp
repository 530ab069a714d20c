// Load balancers.
#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"
#include "elb/elb_api.h"
#include "elb/names.h"

namespace sampan::elb {
namespace {

// Equal settings make a second CreateLoadBalancer the same one.
bool same_settings(const elbv2::LoadBalancer& a, const elbv2::LoadBalancer& b) {
  const auto subnets = [](const elbv2::LoadBalancer& lb) {
    std::set<std::string> ids;
    for (const auto& zone : *lb.AvailabilityZones) ids.insert(*zone.SubnetId);
    return ids;
  };
  return a.Scheme == b.Scheme && a.Type == b.Type && a.IpAddressType == b.IpAddressType &&
         a.SecurityGroups == b.SecurityGroups && subnets(a) == subnets(b);
}

void check_kind(const elbv2::CreateLoadBalancerInput& input) {
  const auto type = input.Type.value_or("application");
  if (type != "application") {
    throw elbv2::InvalidConfigurationRequestException(
        fmt::format("Load balancers of type '{}' are not supported: use type 'application'", type));
  }
  if (input.Scheme.value_or("internet-facing") == "internal") {
    throw elbv2::InvalidConfigurationRequestException(
        "Internal load balancers are not supported: use scheme 'internet-facing', which listens on this "
        "machine's edge "
        "address only");
  }
  if (input.IpAddressType.value_or("ipv4") != "ipv4") {
    throw elbv2::InvalidConfigurationRequestException("Only the IP address type 'ipv4' is supported");
  }
}

}  // namespace

std::vector<elbv2::AvailabilityZone> ElbApi::zones(
    const aws::Call& call, const std::optional<std::vector<std::string>>& subnets,
    const std::optional<std::vector<elbv2::SubnetMapping>>& mappings, std::string& vpc_id) const {
  auto ids = subnets.value_or(std::vector<std::string>{});
  if (!ids.empty() && mappings && !mappings->empty()) {
    invalid("You can give either subnets or subnet mappings, not both");
  }
  for (const auto& mapping : mappings.value_or(std::vector<elbv2::SubnetMapping>{})) {
    ids.push_back(mapping.SubnetId.value_or(""));
  }
  std::vector<elbv2::AvailabilityZone> found;
  std::set<std::string> names;
  for (const auto& id : ids) {
    const auto subnet = interfaces_.subnet(call.account, call.region, id);
    if (!subnet) throw elbv2::SubnetNotFoundException(fmt::format("The subnet ID '{}' does not exist", id));
    if (!vpc_id.empty() && vpc_id != subnet->vpc_id) {
      throw elbv2::InvalidSubnetException("All subnets must belong to the same VPC");
    }
    vpc_id = subnet->vpc_id;
    if (!names.insert(subnet->availability_zone).second) {
      throw elbv2::InvalidConfigurationRequestException(
          "A load balancer cannot be attached to multiple subnets in the same Availability Zone");
    }
    auto& zone = found.emplace_back();
    zone.SubnetId = id;
    zone.ZoneName = subnet->availability_zone;
    zone.LoadBalancerAddresses.emplace();
  }
  if (found.size() < 2) invalid("At least two subnets in two different Availability Zones must be specified");
  return found;
}

std::vector<std::string> ElbApi::checked_security_groups(const aws::Call& call,
                                                         const std::vector<std::string>& ids) const {
  for (const auto& id : ids) {
    if (!interfaces_.has_security_group(call.account, call.region, id)) {
      throw elbv2::InvalidSecurityGroupException(
          fmt::format("One or more security groups are invalid: {}", id));
    }
  }
  return ids;
}

elbv2::LoadBalancer ElbApi::show(const BalancerRow& row) const {
  auto shown = row.shape;
  auto& state = shown.State.emplace();
  state.Code = "active";
  for (const auto* listener : registry_.listeners_of(*row.shape.LoadBalancerArn)) {
    const int port = listener->shape.Port.value_or(0);
    if (data_plane_.listens(port)) continue;
    state.Code = "active_impaired";
    state.Reason = fmt::format("Port {} is in use by another program", port);
  }
  return shown;
}

boost::asio::awaitable<elbv2::CreateLoadBalancerOutput> ElbApi::CreateLoadBalancer(
    const aws::Call& call, elbv2::CreateLoadBalancerInput input) {
  if (const auto fault = name_fault(input.Name, "Load balancer"); !fault.empty()) invalid(fault);
  check_kind(input);
  auto body = [&](store::Txn& tx) {
    BalancerRow row;
    auto& shape = row.shape;
    shape.LoadBalancerName = input.Name;
    shape.Type = "application";
    shape.Scheme = "internet-facing";
    shape.IpAddressType = "ipv4";
    std::string vpc_id;
    shape.AvailabilityZones = zones(call, input.Subnets, input.SubnetMappings, vpc_id);
    shape.VpcId = vpc_id;
    shape.SecurityGroups =
        checked_security_groups(call, input.SecurityGroups.value_or(std::vector<std::string>{}));
    std::size_t count = 0;
    const auto prefix = arn_prefix(call.account, call.region);
    for (auto it = registry_.balancers.lower_bound(prefix);
         it != registry_.balancers.end() && it->first.starts_with(prefix); ++it, ++count) {
      const auto& other = it->second.value.shape;
      if (other.LoadBalancerName != input.Name) continue;
      if (!same_settings(shape, other)) {
        throw elbv2::DuplicateLoadBalancerNameException(fmt::format(
            "A load balancer with the same name '{}' exists, but with different settings", input.Name));
      }
      return it->second.value;
    }
    if (count >= kMostBalancers) {
      throw elbv2::TooManyLoadBalancersException(
          fmt::format("The maximum number of load balancers has been reached: {}", kMostBalancers));
    }
    const auto id = ids_.hex(16);
    shape.LoadBalancerArn = new_arn(call, fmt::format("loadbalancer/app/{}/{}", input.Name, id));
    shape.DNSName = fmt::format("{}-{}.{}.elb.localhost", input.Name, id, call.region);
    shape.CanonicalHostedZoneId = "Z35SXDOTRQ7X7K";
    shape.CreatedTime = call.now;
    row.attributes = default_attributes(AttributeOwner::kBalancer);
    tx.put(registry_.balancers, *shape.LoadBalancerArn, row);
    put_tags(tx, *shape.LoadBalancerArn, input.Tags);
    return row;
  };
  const auto row = co_await store::transact(registry_.store(), body);
  elbv2::CreateLoadBalancerOutput output;
  output.LoadBalancers.emplace().push_back(show(row));
  // AWS answers before it has provisioned anything; waiters wait for "active".
  output.LoadBalancers->front().State->Code = "provisioning";
  co_return output;
}

boost::asio::awaitable<elbv2::DeleteLoadBalancerOutput> ElbApi::DeleteLoadBalancer(
    const aws::Call& call, elbv2::DeleteLoadBalancerInput input) {
  auto body = [&](store::Txn& tx) {
    // One that is gone already is deleted.
    if (!tx.get(registry_.balancers, input.LoadBalancerArn)) return;
    const auto row = balancer(tx, call, input.LoadBalancerArn);
    if (flag(row.attributes, "deletion_protection.enabled")) {
      throw elbv2::OperationNotPermittedException(
          fmt::format("Load balancer '{}' cannot be deleted because deletion protection is enabled",
                      input.LoadBalancerArn));
    }
    std::vector<std::string> gone;
    for (const auto* listener : registry_.listeners_of(input.LoadBalancerArn)) {
      gone.push_back(*listener->shape.ListenerArn);
    }
    for (const auto& arn : gone) erase_listener(tx, arn);
    tx.erase(registry_.balancers, input.LoadBalancerArn);
    erase_tags(tx, input.LoadBalancerArn);
  };
  co_await store::transact(registry_.store(), body);
  co_await settle();
  co_return elbv2::DeleteLoadBalancerOutput{};
}

boost::asio::awaitable<elbv2::DescribeLoadBalancersOutput> ElbApi::DescribeLoadBalancers(
    const aws::Call& call, elbv2::DescribeLoadBalancersInput input) {
  const bool by_arn = input.LoadBalancerArns && !input.LoadBalancerArns->empty();
  const bool by_name = input.Names && !input.Names->empty();
  if (by_arn && by_name) invalid("Load balancer names and ARNs cannot be specified at the same time");
  std::vector<elbv2::LoadBalancer> shown;
  std::set<std::string> names;
  if (by_arn) {
    for (const auto& arn : *input.LoadBalancerArns) shown.push_back(show(balancer(call, arn)));
  } else {
    const auto prefix = arn_prefix(call.account, call.region);
    for (auto it = registry_.balancers.lower_bound(prefix);
         it != registry_.balancers.end() && it->first.starts_with(prefix); ++it) {
      const auto& row = it->second.value;
      const auto& name = *row.shape.LoadBalancerName;
      if (by_name && std::find(input.Names->begin(), input.Names->end(), name) == input.Names->end())
        continue;
      names.insert(name);
      shown.push_back(show(row));
    }
  }
  for (const auto& name : input.Names.value_or(std::vector<std::string>{})) {
    if (!names.contains(name)) {
      throw elbv2::LoadBalancerNotFoundException(fmt::format("Load balancers '[{}]' not found", name));
    }
  }
  elbv2::DescribeLoadBalancersOutput output;
  cut_page(shown, input.Marker, input.PageSize, output.NextMarker);
  output.LoadBalancers = std::move(shown);
  co_return output;
}

boost::asio::awaitable<elbv2::SetSecurityGroupsOutput> ElbApi::SetSecurityGroups(
    const aws::Call& call, elbv2::SetSecurityGroupsInput input) {
  auto body = [&](store::Txn& tx) {
    auto row = balancer(tx, call, input.LoadBalancerArn);
    row.shape.SecurityGroups = checked_security_groups(call, input.SecurityGroups);
    tx.put(registry_.balancers, input.LoadBalancerArn, row);
  };
  co_await store::transact(registry_.store(), body);
  elbv2::SetSecurityGroupsOutput output;
  output.SecurityGroupIds = input.SecurityGroups;
  co_return output;
}

boost::asio::awaitable<elbv2::SetSubnetsOutput> ElbApi::SetSubnets(const aws::Call& call,
                                                                   elbv2::SetSubnetsInput input) {
  auto body = [&](store::Txn& tx) {
    auto row = balancer(tx, call, input.LoadBalancerArn);
    auto vpc_id = row.shape.VpcId.value_or("");
    row.shape.AvailabilityZones = zones(call, input.Subnets, input.SubnetMappings, vpc_id);
    tx.put(registry_.balancers, input.LoadBalancerArn, row);
    return *row.shape.AvailabilityZones;
  };
  elbv2::SetSubnetsOutput output;
  output.AvailabilityZones = co_await store::transact(registry_.store(), body);
  output.IpAddressType = "ipv4";
  co_return output;
}

boost::asio::awaitable<elbv2::SetIpAddressTypeOutput> ElbApi::SetIpAddressType(
    const aws::Call& call, elbv2::SetIpAddressTypeInput input) {
  balancer(call, input.LoadBalancerArn);
  if (input.IpAddressType != "ipv4") {
    throw elbv2::InvalidConfigurationRequestException("Only the IP address type 'ipv4' is supported");
  }
  elbv2::SetIpAddressTypeOutput output;
  output.IpAddressType = "ipv4";
  co_return output;
}

}  // namespace sampan::elb
