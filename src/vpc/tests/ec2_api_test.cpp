#include <gmock/gmock.h>

#include "vpc/group_rules.h"
#include "vpc/places.h"
#include "vpc/tests/fixture.h"

namespace sampan::vpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

using Ec2ApiTest = VpcTest;

TEST(Places, ZoneIdsAreShort) {
  EXPECT_EQ(zone_id("us-east-1a"), "use1-az1");
  EXPECT_EQ(zone_id("ap-southeast-2c"), "apse2-az3");
  EXPECT_EQ(zone_id("eu-central-1b"), "euc1-az2");
}

TEST_F(Ec2ApiTest, DefaultVpcAndSubnetsAreDescribedByFilters) {
  ec2::DescribeVpcsInput vpcs;
  vpcs.Filters = {filter("is-default", {"true"})};
  const auto found = run(api.DescribeVpcs(call, vpcs)).Vpcs;
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(*found->front().CidrBlock, "172.30.0.0/16");
  EXPECT_EQ(*found->front().IsDefault, true);

  ec2::DescribeSubnetsInput subnets;
  subnets.Filters = {filter("vpc-id", {*found->front().VpcId}), filter("default-for-az", {"true"})};
  const auto all = run(api.DescribeSubnets(call, subnets)).Subnets;
  ASSERT_THAT(*all, SizeIs(3));
  EXPECT_EQ(*all->front().AvailableIpAddressCount, 4091);
  subnets.Filters->push_back(filter("availability-zone", {"us-east-1b"}));
  EXPECT_THAT(*run(api.DescribeSubnets(call, subnets)).Subnets, SizeIs(1));
  subnets.Filters = {filter("no-such-filter", {"x"})};
  EXPECT_EQ(fault(api.DescribeSubnets(call, subnets)), "InvalidParameterValue");
  ec2::DescribeSubnetsInput unknown;
  unknown.SubnetIds = {"subnet-nope"};
  EXPECT_EQ(fault(api.DescribeSubnets(call, unknown)), "InvalidSubnetID.NotFound");
  ec2::DescribeVpcsInput unknown_vpc;
  unknown_vpc.VpcIds = {"vpc-nope"};
  EXPECT_EQ(fault(api.DescribeVpcs(call, unknown_vpc)), "InvalidVpcID.NotFound");
}

TEST_F(Ec2ApiTest, PagesCoverEverythingOnce) {
  ec2::DescribeSubnetsInput input;
  input.MaxResults = 2;
  auto first = run(api.DescribeSubnets(call, input));
  ASSERT_THAT(*first.Subnets, SizeIs(2));
  ASSERT_TRUE(first.NextToken);
  input.NextToken = first.NextToken;
  const auto second = run(api.DescribeSubnets(call, input));
  ASSERT_THAT(*second.Subnets, SizeIs(1));
  EXPECT_FALSE(second.NextToken);
  input.NextToken = "%%%";
  EXPECT_EQ(fault(api.DescribeSubnets(call, input)), "InvalidNextToken");
}

TEST_F(Ec2ApiTest, VpcsOfOneMachineMayNotOverlap) {
  ec2::CreateVpcInput input;
  for (const auto* bad : {"172.30.5.0/24", "172.16.0.0/12"}) {
    input.CidrBlock = bad;
    EXPECT_NE(fault(api.CreateVpc(call, input)), "no fault") << bad;
  }
  input.CidrBlock = "10.7.0.0/16";
  const auto vpc = *run(api.CreateVpc(call, input)).Vpc;
  EXPECT_EQ(*vpc.IsDefault, false);
  EXPECT_EQ(fault(api.CreateVpc(call_of("111111111111"), input)), "InvalidVpc.Conflict");
  input.CidrBlock = "10.8.0.0/29";
  EXPECT_EQ(fault(api.CreateVpc(call, input)), "InvalidVpc.Range");
  input.CidrBlock = "ten";
  EXPECT_EQ(fault(api.CreateVpc(call, input)), "InvalidParameterValue");

  ec2::CreateSubnetInput subnet;
  subnet.VpcId = *vpc.VpcId;
  subnet.CidrBlock = "10.7.1.0/24";
  const auto made = *run(api.CreateSubnet(call, subnet)).Subnet;
  EXPECT_EQ(fault(api.CreateSubnet(call, subnet)), "InvalidSubnet.Conflict");
  subnet.CidrBlock = "10.8.1.0/24";
  EXPECT_EQ(fault(api.CreateSubnet(call, subnet)), "InvalidSubnet.Range");
  subnet.VpcId = "vpc-nope";
  EXPECT_EQ(fault(api.CreateSubnet(call, subnet)), "InvalidVpcID.NotFound");

  ec2::DeleteVpcInput gone;
  gone.VpcId = *vpc.VpcId;
  EXPECT_EQ(fault(api.DeleteVpc(call, gone)), "DependencyViolation");
  ec2::DeleteSubnetInput gone_subnet;
  gone_subnet.SubnetId = *made.SubnetId;
  run(api.DeleteSubnet(call, gone_subnet));
  run(api.DeleteVpc(call, gone));
  EXPECT_EQ(fault(api.DeleteVpc(call, gone)), "InvalidVpcID.NotFound");
  EXPECT_EQ(topology.groups.size(), 1u);  // its default group went with it
}

TEST_F(Ec2ApiTest, SubnetInUseStays) {
  const auto subnet = addresses.default_subnets(call.account, call.region)[0].id;
  auto body = [&](store::Txn& tx) {
    return addresses.allocate(tx, {call.account, call.region, subnet, {}, "web"});
  };
  const auto made = run(store::transact(*store, body));
  ec2::DeleteSubnetInput input;
  input.SubnetId = subnet;
  EXPECT_EQ(fault(api.DeleteSubnet(call, input)), "DependencyViolation");
  ec2::DescribeNetworkInterfacesInput described;
  described.Filters = {filter("subnet-id", {subnet}), filter("status", {"in-use"})};
  const auto shown = *run(api.DescribeNetworkInterfaces(call, described)).NetworkInterfaces;
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_EQ(*shown[0].NetworkInterfaceId, made.id);
  EXPECT_EQ(*shown[0].PrivateIpAddress, "172.30.0.4");
  EXPECT_EQ(*shown[0].Groups->front().GroupName, "default");
  EXPECT_EQ(*shown[0].Description, "web");
  EXPECT_THAT(*run(api.DescribeNetworkInterfaces(call_of("111111111111"), {})).NetworkInterfaces, SizeIs(0));
}

TEST_F(Ec2ApiTest, SecurityGroupsComeAndGo) {
  ec2::CreateSecurityGroupInput input;
  input.GroupName = "web";
  input.Description = "the web's";
  EXPECT_EQ(fault(api.CreateSecurityGroup(call, input)), "InvalidParameterValue");  // an apostrophe
  input.Description = "the web";
  const auto id = *run(api.CreateSecurityGroup(call, input)).GroupId;
  EXPECT_EQ(fault(api.CreateSecurityGroup(call, input)), "InvalidGroup.Duplicate");
  input.GroupName = "sg-web";
  EXPECT_EQ(fault(api.CreateSecurityGroup(call, input)), "InvalidParameterValue");

  ec2::DescribeSecurityGroupsInput described;
  described.Filters = {filter("group-name", {"we*"})};
  auto shown = *run(api.DescribeSecurityGroups(call, described)).SecurityGroups;
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_EQ(*shown[0].GroupId, id);
  EXPECT_THAT(*shown[0].IpPermissions, SizeIs(0));
  ASSERT_THAT(*shown[0].IpPermissionsEgress, SizeIs(1));
  EXPECT_EQ(*shown[0].IpPermissionsEgress->front().IpRanges->front().CidrIp, "0.0.0.0/0");

  ec2::DeleteSecurityGroupInput gone;
  gone.GroupName = "default";
  EXPECT_EQ(fault(api.DeleteSecurityGroup(call, gone)), "CannotDelete");
  gone.GroupName = "web";
  run(api.DeleteSecurityGroup(call, gone));
  EXPECT_EQ(fault(api.DeleteSecurityGroup(call, gone)), "InvalidGroup.NotFound");
}

TEST_F(Ec2ApiTest, RulesAreGrantedAndRevoked) {
  ec2::CreateSecurityGroupInput made;
  made.GroupName = "db";
  made.Description = "database";
  const auto id = *run(api.CreateSecurityGroup(call, made)).GroupId;
  ec2::AuthorizeSecurityGroupIngressInput grant;
  grant.GroupId = id;
  EXPECT_EQ(fault(api.AuthorizeSecurityGroupIngress(call, grant)), "MissingParameter");
  grant.IpProtocol = "tcp";
  grant.FromPort = 5432;
  EXPECT_EQ(fault(api.AuthorizeSecurityGroupIngress(call, grant)), "InvalidParameterValue");
  grant.ToPort = 5431;
  grant.CidrIp = "10.1.2.3/8";
  EXPECT_EQ(fault(api.AuthorizeSecurityGroupIngress(call, grant)), "InvalidParameterValue");
  grant.ToPort = 5432;
  const auto rules = *run(api.AuthorizeSecurityGroupIngress(call, grant)).SecurityGroupRules;
  ASSERT_THAT(rules, SizeIs(1));
  EXPECT_EQ(*rules[0].CidrIpv4, "10.0.0.0/8");
  EXPECT_EQ(fault(api.AuthorizeSecurityGroupIngress(call, grant)), "InvalidPermission.Duplicate");

  ec2::DescribeSecurityGroupRulesInput described;
  described.Filters = {filter("group-id", {id})};
  EXPECT_THAT(*run(api.DescribeSecurityGroupRules(call, described)).SecurityGroupRules, SizeIs(2));

  ec2::RevokeSecurityGroupEgressInput revoke_egress;
  revoke_egress.GroupId = id;
  auto& permission = revoke_egress.IpPermissions.emplace().emplace_back();
  permission.IpProtocol = "-1";
  permission.IpRanges.emplace().emplace_back().CidrIp = "0.0.0.0/0";
  run(api.RevokeSecurityGroupEgress(call, revoke_egress));
  EXPECT_EQ(fault(api.RevokeSecurityGroupEgress(call, revoke_egress)), "InvalidPermission.NotFound");

  ec2::RevokeSecurityGroupIngressInput revoke;
  revoke.GroupId = id;
  revoke.SecurityGroupRuleIds = {*rules[0].SecurityGroupRuleId};
  EXPECT_THAT(*run(api.RevokeSecurityGroupIngress(call, revoke)).RevokedSecurityGroupRules, SizeIs(1));
  EXPECT_THAT(*run(api.DescribeSecurityGroupRules(call, described)).SecurityGroupRules, SizeIs(0));
}

TEST_F(Ec2ApiTest, GroupNamedByAnotherStays) {
  ec2::CreateSecurityGroupInput made;
  made.Description = "x";
  made.GroupName = "a";
  const auto a = *run(api.CreateSecurityGroup(call, made)).GroupId;
  made.GroupName = "b";
  const auto b = *run(api.CreateSecurityGroup(call, made)).GroupId;
  ec2::AuthorizeSecurityGroupIngressInput grant;
  grant.GroupId = b;
  auto& permission = grant.IpPermissions.emplace().emplace_back();
  permission.IpProtocol = "TCP";
  permission.FromPort = permission.ToPort = 80;
  permission.UserIdGroupPairs.emplace().emplace_back().GroupId = a;
  run(api.AuthorizeSecurityGroupIngress(call, grant));
  ec2::DeleteSecurityGroupInput gone;
  gone.GroupId = a;
  EXPECT_EQ(fault(api.DeleteSecurityGroup(call, gone)), "DependencyViolation");
  permission.UserIdGroupPairs->front().GroupId = "sg-nope";
  EXPECT_EQ(fault(api.AuthorizeSecurityGroupIngress(call, grant)), "InvalidGroup.NotFound");
}

TEST_F(Ec2ApiTest, RuleLimitHoldsAtItsEdge) {
  ec2::CreateSecurityGroupInput made;
  made.Description = "x";
  made.GroupName = "many";
  ec2::AuthorizeSecurityGroupIngressInput grant;
  grant.GroupId = *run(api.CreateSecurityGroup(call, made)).GroupId;
  auto& permission = grant.IpPermissions.emplace().emplace_back();
  permission.IpProtocol = "udp";
  permission.FromPort = permission.ToPort = 53;
  permission.IpRanges.emplace();
  for (std::size_t i = 0; i < kMostRules; ++i) {
    permission.IpRanges->emplace_back().CidrIp = "10.0." + std::to_string(i) + ".0/24";
  }
  run(api.AuthorizeSecurityGroupIngress(call, grant));
  permission.IpRanges->clear();
  permission.IpRanges->emplace_back().CidrIp = "11.0.0.0/24";
  EXPECT_EQ(fault(api.AuthorizeSecurityGroupIngress(call, grant)), "RulesPerSecurityGroupLimitExceeded");
}

TEST_F(Ec2ApiTest, TagsFollowTheirResource) {
  const auto vpc = *run(api.DescribeVpcs(call, {})).Vpcs->front().VpcId;
  ec2::CreateTagsInput input;
  input.Resources = {vpc};
  auto& tag = input.Tags.emplace_back();
  tag.Key = "Name";
  tag.Value = "main";
  run(api.CreateTags(call, input));
  ec2::DescribeVpcsInput described;
  described.Filters = {filter("tag:Name", {"ma*"})};
  EXPECT_THAT(*run(api.DescribeVpcs(call, described)).Vpcs, SizeIs(1));
  EXPECT_EQ(*run(api.DescribeTags(call, {})).Tags->front().ResourceType, "vpc");
  input.Resources = {"vpc-nope"};
  EXPECT_EQ(fault(api.CreateTags(call, input)), "InvalidID");
  input.Resources = {vpc};
  input.Tags.front().Key = "aws:mine";
  EXPECT_EQ(fault(api.CreateTags(call, input)), "InvalidParameterValue");
  ec2::DeleteTagsInput gone;
  gone.Resources = {vpc};
  run(api.DeleteTags(call, gone));
  EXPECT_THAT(*run(api.DescribeTags(call, {})).Tags, SizeIs(0));
}

TEST_F(Ec2ApiTest, DryRunChangesNothing) {
  ec2::CreateSecurityGroupInput made;
  made.Description = "x";
  made.GroupName = "dry";
  made.DryRun = true;
  EXPECT_EQ(fault(api.CreateSecurityGroup(call, made)), "DryRunOperation");
  EXPECT_EQ(store->revision(), 0);
}

TEST_F(Ec2ApiTest, PlacesAndRoutes) {
  EXPECT_THAT(*run(api.DescribeAvailabilityZones(call, {})).AvailabilityZones, SizeIs(3));
  ec2::DescribeRegionsInput regions;
  regions.RegionNames = {"us-east-1"};
  EXPECT_EQ(*run(api.DescribeRegions(call, regions)).Regions->front().Endpoint, "127.0.0.1:4566");
  const auto tables = *run(api.DescribeRouteTables(call, {})).RouteTables;
  ASSERT_THAT(tables, SizeIs(1));
  EXPECT_THAT(*tables[0].Routes, SizeIs(2));
  const auto gateways = *run(api.DescribeInternetGateways(call, {})).InternetGateways;
  ASSERT_THAT(gateways, SizeIs(1));
  EXPECT_EQ(*tables[0].Routes->back().GatewayId, *gateways[0].InternetGatewayId);
}

}  // namespace
}  // namespace sampan::vpc
