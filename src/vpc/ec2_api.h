// The part of the EC2 API that ECS and load balancing need: VPCs, subnets, security groups, interfaces, tags.
//
// A new VPC is a bridge of its own on this machine, made when its first task starts; all VPCs share the
// machine's routes, so their blocks may not overlap. Security group rules are stored and shown, not enforced
// (docs/stored-only.txt). Handlers run on the control strand.
#pragma once

#include "api/ec2.h"
#include "vpc/filters.h"
#include "vpc/topology.h"

namespace sampan::vpc {

namespace ec2 = api::ec2;

class Ec2Api final : public ec2::Service {
 public:
  template <class T>
  using Answer = boost::asio::awaitable<T>;
  explicit Ec2Api(Topology& topology) : topology_(topology) {}

  // ec2_vpcs.cpp
  Answer<ec2::CreateVpcOutput> CreateVpc(const aws::Call& call, ec2::CreateVpcInput input) override;
  Answer<ec2::DeleteVpcOutput> DeleteVpc(const aws::Call& call, ec2::DeleteVpcInput input) override;
  Answer<ec2::DescribeVpcsOutput> DescribeVpcs(const aws::Call& call, ec2::DescribeVpcsInput input) override;
  Answer<ec2::DescribeRouteTablesOutput> DescribeRouteTables(const aws::Call& call,
                                                             ec2::DescribeRouteTablesInput input) override;
  Answer<ec2::DescribeInternetGatewaysOutput> DescribeInternetGateways(
      const aws::Call& call, ec2::DescribeInternetGatewaysInput input) override;

  // ec2_subnets.cpp
  Answer<ec2::CreateSubnetOutput> CreateSubnet(const aws::Call& call, ec2::CreateSubnetInput input) override;
  Answer<ec2::DeleteSubnetOutput> DeleteSubnet(const aws::Call& call, ec2::DeleteSubnetInput input) override;
  Answer<ec2::DescribeSubnetsOutput> DescribeSubnets(const aws::Call& call,
                                                     ec2::DescribeSubnetsInput input) override;
  Answer<ec2::DescribeNetworkInterfacesOutput> DescribeNetworkInterfaces(
      const aws::Call& call, ec2::DescribeNetworkInterfacesInput input) override;

  // ec2_groups.cpp
  Answer<ec2::CreateSecurityGroupOutput> CreateSecurityGroup(const aws::Call& call,
                                                             ec2::CreateSecurityGroupInput input) override;
  Answer<ec2::DeleteSecurityGroupOutput> DeleteSecurityGroup(const aws::Call& call,
                                                             ec2::DeleteSecurityGroupInput input) override;
  Answer<ec2::DescribeSecurityGroupsOutput> DescribeSecurityGroups(
      const aws::Call& call, ec2::DescribeSecurityGroupsInput input) override;
  Answer<ec2::DescribeSecurityGroupRulesOutput> DescribeSecurityGroupRules(
      const aws::Call& call, ec2::DescribeSecurityGroupRulesInput input) override;

  // ec2_group_rules.cpp
  Answer<ec2::AuthorizeSecurityGroupIngressOutput> AuthorizeSecurityGroupIngress(
      const aws::Call& call, ec2::AuthorizeSecurityGroupIngressInput input) override;
  Answer<ec2::AuthorizeSecurityGroupEgressOutput> AuthorizeSecurityGroupEgress(
      const aws::Call& call, ec2::AuthorizeSecurityGroupEgressInput input) override;
  Answer<ec2::RevokeSecurityGroupIngressOutput> RevokeSecurityGroupIngress(
      const aws::Call& call, ec2::RevokeSecurityGroupIngressInput input) override;
  Answer<ec2::RevokeSecurityGroupEgressOutput> RevokeSecurityGroupEgress(
      const aws::Call& call, ec2::RevokeSecurityGroupEgressInput input) override;

  // ec2_tags.cpp
  Answer<ec2::CreateTagsOutput> CreateTags(const aws::Call& call, ec2::CreateTagsInput input) override;
  Answer<ec2::DeleteTagsOutput> DeleteTags(const aws::Call& call, ec2::DeleteTagsInput input) override;
  Answer<ec2::DescribeTagsOutput> DescribeTags(const aws::Call& call, ec2::DescribeTagsInput input) override;

  // ec2_places.cpp
  Answer<ec2::DescribeAvailabilityZonesOutput> DescribeAvailabilityZones(
      const aws::Call& call, ec2::DescribeAvailabilityZonesInput input) override;
  Answer<ec2::DescribeRegionsOutput> DescribeRegions(const aws::Call& call,
                                                     ec2::DescribeRegionsInput input) override;
  Answer<ec2::DescribeAccountAttributesOutput> DescribeAccountAttributes(
      const aws::Call& call, ec2::DescribeAccountAttributesInput input) override;

 private:
  Tags tags_of(const aws::Call& call, const std::string& id) const;
  std::optional<std::vector<ec2::Tag>> shown_tags(const aws::Call& call, const std::string& id) const;
  // Checks a request's TagSpecifications for a resource being made and writes them; what to show of them.
  std::optional<std::vector<ec2::Tag>> put_tags(
      store::Txn& tx, const aws::Call& call, const std::string& id, std::string_view resource_type,
      const std::optional<std::vector<ec2::TagSpecification>>& specs);
  void erase_tags(store::Txn& tx, const aws::Call& call, const std::string& id);
  bool exists(const aws::Call& call, const std::string& id) const;
  ec2::Vpc show(const aws::Call& call, const VpcRow& row) const;
  ec2::Subnet show(const aws::Call& call, const SubnetRow& row) const;
  ec2::SecurityGroup show(const aws::Call& call, const GroupRow& row) const;
  ec2::NetworkInterface show(const aws::Call& call, const InterfaceRow& row) const;
  ec2::SecurityGroupRule show(const aws::Call& call, const GroupRow& group, const GroupRule& rule) const;
  GroupRow find_group(store::Txn& tx, const aws::Call& call, const std::optional<std::string>& id,
                      const std::optional<std::string>& name) const;
  std::optional<std::string> user_of_group(const aws::Call& call, const std::string& id) const;

  Topology& topology_;
};

// DryRun: EC2 answers with an error that says the request would have gone well.
void check_dry_run(const std::optional<bool>& dry_run);

// The rows of one account and region, in order of their ids.
template <class Row>
std::vector<Row> rows_of(const store::Table<Row>& table, const aws::Call& call) {
  std::vector<Row> rows;
  const auto prefix = Topology::key(call.account, call.region, "");
  for (auto it = table.lower_bound(prefix); it != table.end() && it->first.starts_with(prefix); ++it) {
    rows.push_back(it->second.value);
  }
  return rows;
}

}  // namespace sampan::vpc
