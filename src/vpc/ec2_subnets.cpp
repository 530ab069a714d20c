// Subnets and the interfaces in them.
#include <fmt/core.h>

#include <algorithm>

#include "vpc/addressing.h"
#include "vpc/ec2_api.h"
#include "vpc/places.h"

namespace sampan::vpc {

using Values = std::vector<std::string>;

namespace {

std::optional<Values> subnet_values(const SubnetRow& row, std::string_view name) {
  if (name == "subnet-id") return Values{row.id};
  if (name == "vpc-id") return Values{row.vpc_id};
  if (name == "availability-zone" || name == "availabilityZone") return Values{row.zone};
  if (name == "availability-zone-id") return Values{zone_id(row.zone)};
  if (name == "default-for-az" || name == "defaultForAz") return Values{yes_no(row.default_for_zone)};
  if (name == "cidr-block" || name == "cidr" || name == "cidrBlock") return Values{row.cidr};
  if (name == "map-public-ip-on-launch") return Values{yes_no(row.default_for_zone)};
  if (name == "state") return Values{"available"};
  if (name == "owner-id") return Values{row.account};
  return std::nullopt;
}

std::optional<Values> interface_values(const InterfaceRow& row, const std::string& zone,
                                       std::string_view name) {
  if (name == "network-interface-id") return Values{row.id};
  if (name == "subnet-id") return Values{row.subnet_id};
  if (name == "vpc-id") return Values{row.vpc_id};
  if (name == "group-id") return row.groups;
  if (name == "private-ip-address" || name == "addresses.private-ip-address") return Values{row.address};
  if (name == "private-dns-name") {
    return Values{private_dns_name(parse_ipv4(row.address).value_or(Ipv4{}), row.region)};
  }
  if (name == "mac-address") return Values{row.mac};
  if (name == "description") return Values{row.description};
  if (name == "status") return Values{"in-use"};
  if (name == "attachment.status") return Values{"attached"};
  if (name == "interface-type") return Values{"interface"};
  if (name == "requester-managed") return Values{"true"};
  if (name == "owner-id") return Values{row.account};
  if (name == "availability-zone") return Values{zone};
  return std::nullopt;
}

Cidr checked_block(const std::string& text, const VpcRow& vpc) {
  const auto block = parse_cidr(text);
  if (!block) {
    throw aws::Fault(
        "InvalidParameterValue", 400,
        fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text));
  }
  const auto whole = parse_cidr(vpc.cidr);
  const bool sized = block->prefix_length >= kLargestBlock && block->prefix_length <= kSmallestBlock;
  if (!sized || !whole || !whole->contains(*block)) {
    throw aws::Fault("InvalidSubnet.Range", 400, fmt::format("The CIDR '{}' is invalid.", text));
  }
  return *block;
}

}  // namespace

ec2::Subnet Ec2Api::show(const aws::Call& call, const SubnetRow& row) const {
  const auto usable = usable_addresses(parse_cidr(row.cidr).value_or(Cidr{}));
  ec2::Subnet subnet;
  subnet.SubnetId = row.id;
  subnet.SubnetArn = fmt::format("arn:aws:ec2:{}:{}:subnet/{}", row.region, row.account, row.id);
  subnet.VpcId = row.vpc_id;
  subnet.OwnerId = row.account;
  subnet.State = "available";
  subnet.CidrBlock = row.cidr;
  subnet.AvailableIpAddressCount = usable - static_cast<int>(topology_.taken(row.id).size());
  subnet.AvailabilityZone = row.zone;
  subnet.AvailabilityZoneId = zone_id(row.zone);
  subnet.DefaultForAz = row.default_for_zone;
  subnet.MapPublicIpOnLaunch = row.default_for_zone;
  subnet.MapCustomerOwnedIpOnLaunch = false;
  subnet.AssignIpv6AddressOnCreation = false;
  subnet.EnableDns64 = false;
  subnet.Ipv6Native = false;
  auto& naming = subnet.PrivateDnsNameOptionsOnLaunch.emplace();
  naming.HostnameType = "ip-name";
  naming.EnableResourceNameDnsARecord = false;
  naming.EnableResourceNameDnsAAAARecord = false;
  subnet.Tags = shown_tags(call, row.id);
  return subnet;
}

boost::asio::awaitable<ec2::CreateSubnetOutput> Ec2Api::CreateSubnet(const aws::Call& call,
                                                                     ec2::CreateSubnetInput input) {
  if (!input.CidrBlock)
    throw aws::Fault("MissingParameter", 400, "The request must contain the parameter cidrBlock");
  const auto zones = zones_of(call.region);
  const auto zone = input.AvailabilityZone.value_or(zones.front());
  if (std::find(zones.begin(), zones.end(), zone) == zones.end()) {
    throw aws::Fault(
        "InvalidParameterValue", 400,
        fmt::format("Value ({}) for parameter availabilityZone is invalid. Subnets can currently only be "
                    "created in the following availability zones: {}.",
                    zone, fmt::format("{}, {}, {}", zones[0], zones[1], zones[2])));
  }
  auto body = [&](store::Txn& tx) {
    topology_.ensure_default(tx, call.account, call.region);
    const auto vpc = tx.get(topology_.vpcs, Topology::key(call.account, call.region, input.VpcId));
    if (!vpc) {
      throw aws::Fault("InvalidVpcID.NotFound", 400,
                       fmt::format("The vpc ID '{}' does not exist", input.VpcId));
    }
    const auto block = checked_block(*input.CidrBlock, *vpc);
    for (const auto& other : rows_of(topology_.subnets, call)) {
      if (other.vpc_id == vpc->id && parse_cidr(other.cidr)->overlaps(block)) {
        throw aws::Fault("InvalidSubnet.Conflict", 400,
                         fmt::format("The CIDR '{}' conflicts with another subnet", *input.CidrBlock));
      }
    }
    check_dry_run(input.DryRun);
    SubnetRow row{
        topology_.new_id("subnet-"), call.account, call.region, vpc->id, to_string(block), zone, false};
    tx.put(topology_.subnets, Topology::key(call.account, call.region, row.id), row);
    put_tags(tx, call, row.id, "subnet", input.TagSpecifications);
    return row;
  };
  const auto row = co_await store::transact(topology_.store(), body);
  ec2::CreateSubnetOutput output;
  output.Subnet = show(call, row);
  co_return output;
}

boost::asio::awaitable<ec2::DeleteSubnetOutput> Ec2Api::DeleteSubnet(const aws::Call& call,
                                                                     ec2::DeleteSubnetInput input) {
  auto body = [&](store::Txn& tx) {
    topology_.ensure_default(tx, call.account, call.region);
    const auto key = Topology::key(call.account, call.region, input.SubnetId);
    if (!tx.get(topology_.subnets, key)) {
      throw aws::Fault("InvalidSubnetID.NotFound", 400,
                       fmt::format("The subnet ID '{}' does not exist", input.SubnetId));
    }
    if (!topology_.taken(input.SubnetId).empty()) {
      throw aws::Fault(
          "DependencyViolation", 400,
          fmt::format("The subnet '{}' has dependencies and cannot be deleted.", input.SubnetId));
    }
    check_dry_run(input.DryRun);
    if (tx.get(topology_.rotation, input.SubnetId)) tx.erase(topology_.rotation, input.SubnetId);
    tx.erase(topology_.subnets, key);
    erase_tags(tx, call, input.SubnetId);
  };
  co_await store::transact(topology_.store(), body);
  co_return ec2::DeleteSubnetOutput{};
}

boost::asio::awaitable<ec2::DescribeSubnetsOutput> Ec2Api::DescribeSubnets(const aws::Call& call,
                                                                           ec2::DescribeSubnetsInput input) {
  check_dry_run(input.DryRun);
  co_await topology_.ensure_default(call.account, call.region);
  std::vector<ec2::Subnet> subnets;
  Values found;
  for (const auto& row : rows_of(topology_.subnets, call)) {
    if (!wanted(input.SubnetIds, row.id)) continue;
    found.push_back(row.id);
    const auto values = [&](std::string_view name) { return subnet_values(row, name); };
    if (matches(input.Filters, tags_of(call, row.id), values)) subnets.push_back(show(call, row));
  }
  require_found(input.SubnetIds, found, "InvalidSubnetID.NotFound", "subnet");
  ec2::DescribeSubnetsOutput output;
  output.NextToken = cut_page(subnets, input.MaxResults, input.NextToken);
  output.Subnets = std::move(subnets);
  co_return output;
}

ec2::NetworkInterface Ec2Api::show(const aws::Call& call, const InterfaceRow& row) const {
  const auto dns = private_dns_name(parse_ipv4(row.address).value_or(Ipv4{}), row.region);
  ec2::NetworkInterface out;
  out.NetworkInterfaceId = row.id;
  out.OwnerId = row.account;
  out.SubnetId = row.subnet_id;
  out.VpcId = row.vpc_id;
  out.Description = row.description;
  out.MacAddress = row.mac;
  out.PrivateIpAddress = row.address;
  out.PrivateDnsName = dns;
  ec2::NetworkInterfacePrivateIpAddress primary;
  primary.Primary = true;
  primary.PrivateIpAddress = row.address;
  primary.PrivateDnsName = dns;
  out.PrivateIpAddresses = {primary};
  out.Groups.emplace();
  for (const auto& id : row.groups) {
    ec2::GroupIdentifier group;
    group.GroupId = id;
    if (const auto* named = topology_.groups.find(Topology::key(row.account, row.region, id))) {
      group.GroupName = named->name;
    }
    out.Groups->push_back(std::move(group));
  }
  if (const auto* subnet = topology_.subnets.find(Topology::key(row.account, row.region, row.subnet_id))) {
    out.AvailabilityZone = subnet->zone;
    out.AvailabilityZoneId = zone_id(subnet->zone);
  }
  auto& attachment = out.Attachment.emplace();
  attachment.AttachmentId = "eni-attach-" + row.id.substr(4);
  attachment.AttachTime = row.created;
  attachment.DeviceIndex = 1;
  attachment.Status = "attached";
  attachment.DeleteOnTermination = false;
  out.InterfaceType = "interface";
  out.RequesterManaged = true;
  out.SourceDestCheck = true;
  out.Status = "in-use";
  out.TagSet = shown_tags(call, row.id);
  return out;
}

boost::asio::awaitable<ec2::DescribeNetworkInterfacesOutput> Ec2Api::DescribeNetworkInterfaces(
    const aws::Call& call, ec2::DescribeNetworkInterfacesInput input) {
  check_dry_run(input.DryRun);
  co_await topology_.ensure_default(call.account, call.region);
  std::vector<ec2::NetworkInterface> interfaces;
  Values found;
  for (const auto& [id, stored] : topology_.interfaces) {
    const auto& row = stored.value;
    if (row.account != call.account || row.region != call.region || !wanted(input.NetworkInterfaceIds, id))
      continue;
    found.push_back(id);
    const auto* subnet = topology_.subnets.find(Topology::key(row.account, row.region, row.subnet_id));
    const auto zone = subnet ? subnet->zone : std::string();
    const auto values = [&](std::string_view name) { return interface_values(row, zone, name); };
    if (matches(input.Filters, tags_of(call, id), values)) interfaces.push_back(show(call, row));
  }
  require_found(input.NetworkInterfaceIds, found, "InvalidNetworkInterfaceID.NotFound", "networkInterface");
  ec2::DescribeNetworkInterfacesOutput output;
  output.NextToken = cut_page(interfaces, input.MaxResults, input.NextToken);
  output.NetworkInterfaces = std::move(interfaces);
  co_return output;
}

}  // namespace sampan::vpc
