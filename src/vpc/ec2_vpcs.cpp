// VPCs, and the route table and internet gateway that belong to each.
#include <fmt/core.h>

#include "vpc/addressing.h"
#include "vpc/ec2_api.h"

namespace sampan::vpc {

using Values = std::vector<std::string>;

void check_dry_run(const std::optional<bool>& dry_run) {
  if (dry_run.value_or(false)) {
    throw aws::Fault("DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set.");
  }
}

namespace {

std::string association_id(const std::string& prefix, const std::string& id) {
  return prefix + id.substr(id.find('-') + 1);
}

std::optional<Values> vpc_values(const VpcRow& row, std::string_view name) {
  if (name == "vpc-id") return Values{row.id};
  if (name == "cidr" || name == "cidr-block-association.cidr-block") return Values{row.cidr};
  if (name == "is-default" || name == "isDefault") return Values{yes_no(row.is_default)};
  if (name == "state") return Values{"available"};
  if (name == "owner-id") return Values{row.account};
  return std::nullopt;
}

Cidr checked_block(const std::string& text) {
  const auto block = parse_cidr(text);
  if (!block) {
    throw aws::Fault(
        "InvalidParameterValue", 400,
        fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text));
  }
  if (block->prefix_length < kLargestBlock || block->prefix_length > kSmallestBlock) {
    throw aws::Fault("InvalidVpc.Range", 400, fmt::format("The CIDR '{}' is invalid.", text));
  }
  return *block;
}

}  // namespace

ec2::Vpc Ec2Api::show(const aws::Call& call, const VpcRow& row) const {
  ec2::VpcCidrBlockAssociation association;
  association.AssociationId = association_id("vpc-cidr-assoc-", row.id);
  association.CidrBlock = row.cidr;
  association.CidrBlockState.emplace().State = "associated";
  ec2::Vpc vpc;
  vpc.VpcId = row.id;
  vpc.OwnerId = row.account;
  vpc.State = "available";
  vpc.CidrBlock = row.cidr;
  vpc.CidrBlockAssociationSet = {association};
  vpc.IsDefault = row.is_default;
  vpc.InstanceTenancy = "default";
  vpc.DhcpOptionsId = "default";
  vpc.Tags = shown_tags(call, row.id);
  return vpc;
}

boost::asio::awaitable<ec2::CreateVpcOutput> Ec2Api::CreateVpc(const aws::Call& call,
                                                               ec2::CreateVpcInput input) {
  if (!input.CidrBlock)
    throw aws::Fault("MissingParameter", 400, "The request must contain the parameter cidrBlock");
  if (input.AmazonProvidedIpv6CidrBlock.value_or(false) || input.Ipv6CidrBlock) {
    throw aws::Fault("UnsupportedOperation", 400, "IPv6 blocks are not supported: leave them out");
  }
  const auto block = checked_block(*input.CidrBlock);
  check_dry_run(input.DryRun);
  auto body = [&](store::Txn& tx) {
    topology_.ensure_default(tx, call.account, call.region);
    if (const auto other = topology_.collision(block)) {
      throw aws::Fault(
          "InvalidVpc.Conflict", 400,
          fmt::format("The CIDR '{}' overlaps {}. VPCs of one Sampan share this machine's routes: "
                      "choose a block that no other VPC has.",
                      to_string(block), *other));
    }
    VpcRow row{topology_.new_id("vpc-"), call.account, call.region,
               to_string(block),         false,        topology_.new_id("rtb-")};
    GroupRow group{topology_.new_id("sg-"),     call.account, call.region, row.id, "default",
                   "default VPC security group"};
    GroupRule inside{topology_.new_id("sgr-"), false, "-1"};
    inside.group_id = group.id;
    GroupRule out{topology_.new_id("sgr-"), true, "-1"};
    out.cidr4 = "0.0.0.0/0";
    group.rules = {inside, out};
    tx.put(topology_.vpcs, Topology::key(call.account, call.region, row.id), row);
    tx.put(topology_.groups, Topology::key(call.account, call.region, group.id), group);
    put_tags(tx, call, row.id, "vpc", input.TagSpecifications);
    return row;
  };
  const auto row = co_await store::transact(topology_.store(), body);
  ec2::CreateVpcOutput output;
  output.Vpc = show(call, row);
  co_return output;
}

boost::asio::awaitable<ec2::DeleteVpcOutput> Ec2Api::DeleteVpc(const aws::Call& call,
                                                               ec2::DeleteVpcInput input) {
  auto body = [&](store::Txn& tx) {
    topology_.ensure_default(tx, call.account, call.region);
    const auto key = Topology::key(call.account, call.region, input.VpcId);
    if (!tx.get(topology_.vpcs, key)) {
      throw aws::Fault("InvalidVpcID.NotFound", 400,
                       fmt::format("The vpc ID '{}' does not exist", input.VpcId));
    }
    const auto refuse = [&](const std::string& what) {
      throw aws::Fault(
          "DependencyViolation", 400,
          fmt::format("The vpc '{}' has dependencies and cannot be deleted: {}", input.VpcId, what));
    };
    for (const auto& subnet : rows_of(topology_.subnets, call)) {
      if (subnet.vpc_id == input.VpcId) refuse(subnet.id);
    }
    std::string default_group;
    for (const auto& group : rows_of(topology_.groups, call)) {
      if (group.vpc_id != input.VpcId) continue;
      if (group.name != "default") refuse(group.id);
      default_group = group.id;
    }
    check_dry_run(input.DryRun);
    tx.erase(topology_.vpcs, key);
    if (!default_group.empty()) {
      tx.erase(topology_.groups, Topology::key(call.account, call.region, default_group));
      erase_tags(tx, call, default_group);
    }
    erase_tags(tx, call, input.VpcId);
  };
  co_await store::transact(topology_.store(), body);
  co_return ec2::DeleteVpcOutput{};
}

boost::asio::awaitable<ec2::DescribeVpcsOutput> Ec2Api::DescribeVpcs(const aws::Call& call,
                                                                     ec2::DescribeVpcsInput input) {
  check_dry_run(input.DryRun);
  co_await topology_.ensure_default(call.account, call.region);
  std::vector<ec2::Vpc> vpcs;
  Values found;
  for (const auto& row : rows_of(topology_.vpcs, call)) {
    if (!wanted(input.VpcIds, row.id)) continue;
    found.push_back(row.id);
    const auto values = [&](std::string_view name) { return vpc_values(row, name); };
    if (matches(input.Filters, tags_of(call, row.id), values)) vpcs.push_back(show(call, row));
  }
  require_found(input.VpcIds, found, "InvalidVpcID.NotFound", "vpc");
  ec2::DescribeVpcsOutput output;
  output.NextToken = cut_page(vpcs, input.MaxResults, input.NextToken);
  output.Vpcs = std::move(vpcs);
  co_return output;
}

boost::asio::awaitable<ec2::DescribeRouteTablesOutput> Ec2Api::DescribeRouteTables(
    const aws::Call& call, ec2::DescribeRouteTablesInput input) {
  check_dry_run(input.DryRun);
  co_await topology_.ensure_default(call.account, call.region);
  std::vector<ec2::RouteTable> tables;
  Values found;
  for (const auto& row : rows_of(topology_.vpcs, call)) {
    if (!wanted(input.RouteTableIds, row.route_table_id)) continue;
    found.push_back(row.route_table_id);
    const auto values = [&](std::string_view name) -> std::optional<Values> {
      if (name == "vpc-id") return Values{row.id};
      if (name == "route-table-id" || name == "association.route-table-id") return Values{row.route_table_id};
      if (name == "association.main") return Values{"true"};
      if (name == "association.subnet-id") return Values{};  // every subnet uses the main table implicitly
      if (name == "owner-id") return Values{row.account};
      if (name == "route.gateway-id") return Values{"local", row.internet_gateway_id};
      return std::nullopt;
    };
    if (!matches(input.Filters, tags_of(call, row.route_table_id), values)) continue;
    ec2::Route local;
    local.DestinationCidrBlock = row.cidr;
    local.GatewayId = "local";
    local.Origin = "CreateRouteTable";
    local.State = "active";
    ec2::RouteTableAssociation main;
    main.Main = true;
    main.RouteTableId = row.route_table_id;
    main.RouteTableAssociationId = association_id("rtbassoc-", row.route_table_id);
    main.AssociationState.emplace().State = "associated";
    ec2::RouteTable table;
    table.RouteTableId = row.route_table_id;
    table.VpcId = row.id;
    table.OwnerId = row.account;
    table.Associations = {main};
    table.Routes = {local};
    if (!row.internet_gateway_id.empty()) {
      ec2::Route out;
      out.DestinationCidrBlock = "0.0.0.0/0";
      out.GatewayId = row.internet_gateway_id;
      out.Origin = "CreateRoute";
      out.State = "active";
      table.Routes->push_back(out);
    }
    table.Tags = shown_tags(call, row.route_table_id);
    tables.push_back(std::move(table));
  }
  require_found(input.RouteTableIds, found, "InvalidRouteTableID.NotFound", "routeTable");
  ec2::DescribeRouteTablesOutput output;
  output.NextToken = cut_page(tables, input.MaxResults, input.NextToken);
  output.RouteTables = std::move(tables);
  co_return output;
}

boost::asio::awaitable<ec2::DescribeInternetGatewaysOutput> Ec2Api::DescribeInternetGateways(
    const aws::Call& call, ec2::DescribeInternetGatewaysInput input) {
  check_dry_run(input.DryRun);
  co_await topology_.ensure_default(call.account, call.region);
  std::vector<ec2::InternetGateway> gateways;
  Values found;
  for (const auto& row : rows_of(topology_.vpcs, call)) {
    const auto& id = row.internet_gateway_id;
    if (id.empty() || !wanted(input.InternetGatewayIds, id)) continue;
    found.push_back(id);
    const auto values = [&](std::string_view name) -> std::optional<Values> {
      if (name == "internet-gateway-id") return Values{id};
      if (name == "attachment.vpc-id") return Values{row.id};
      if (name == "attachment.state") return Values{"available"};
      if (name == "owner-id") return Values{row.account};
      return std::nullopt;
    };
    if (!matches(input.Filters, tags_of(call, id), values)) continue;
    ec2::InternetGatewayAttachment attachment;
    attachment.State = "available";
    attachment.VpcId = row.id;
    ec2::InternetGateway gateway;
    gateway.InternetGatewayId = id;
    gateway.OwnerId = row.account;
    gateway.Attachments = {attachment};
    gateway.Tags = shown_tags(call, id);
    gateways.push_back(std::move(gateway));
  }
  require_found(input.InternetGatewayIds, found, "InvalidInternetGatewayID.NotFound", "internetGateway");
  ec2::DescribeInternetGatewaysOutput output;
  output.NextToken = cut_page(gateways, input.MaxResults, input.NextToken);
  output.InternetGateways = std::move(gateways);
  co_return output;
}

}  // namespace sampan::vpc
