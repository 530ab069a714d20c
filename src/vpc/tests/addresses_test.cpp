#include <gmock/gmock.h>

#include "core/error.h"
#include "vpc/tests/fixture.h"

namespace sampan::vpc {
namespace {

using testing::HasSubstr;

struct AddressesTest : VpcTest {
  Interface allocate(InterfaceRequest request) {
    auto body = [&](store::Txn& tx) { return addresses.allocate(tx, request); };
    return run(store::transact(*store, body));
  }
  void release(const std::string& id) {
    auto body = [&](store::Txn& tx) { addresses.release(tx, id); };
    run(store::transact(*store, body));
  }
  std::string first_subnet() { return addresses.default_subnets(call.account, call.region).front().id; }
  InterfaceRequest request() { return {call.account, call.region, first_subnet(), {}, "a task"}; }
};

TEST_F(AddressesTest, DefaultNetworkIsThereBeforeAnythingIsStored) {
  const auto subnets = addresses.default_subnets(call.account, call.region);
  ASSERT_EQ(subnets.size(), 3u);
  EXPECT_EQ(subnets[0].cidr, "172.30.0.0/20");
  EXPECT_EQ(subnets[0].gateway, "172.30.0.1");
  EXPECT_EQ(subnets[0].prefix_length, 20);
  EXPECT_EQ(subnets[0].vpc_cidr, "172.30.0.0/16");
  EXPECT_EQ(subnets[2].availability_zone, "us-east-1c");
  EXPECT_EQ(store->revision(), 0);
  EXPECT_TRUE(addresses.subnet(call.account, call.region, subnets[1].id));
  EXPECT_FALSE(addresses.subnet(call.account, "eu-west-1", subnets[1].id));
}

TEST_F(AddressesTest, FirstInterfaceStoresTheNetworkItLivesIn) {
  const auto made = allocate(request());
  EXPECT_EQ(made.address, "172.30.0.4");
  EXPECT_EQ(made.mac, "02:5a:ac:1e:00:04");
  EXPECT_EQ(made.private_dns_name, "ip-172-30-0-4.ec2.internal");
  EXPECT_EQ(made.id.size(), 21u);
  ASSERT_EQ(made.security_groups.size(), 1u);
  EXPECT_TRUE(addresses.has_security_group(call.account, call.region, made.security_groups[0]));
  EXPECT_FALSE(addresses.has_security_group(call.account, call.region, "sg-0"));
  EXPECT_EQ(topology.vpcs.size(), 1u);
  EXPECT_EQ(topology.subnets.size(), 3u);
  // A fresh look at the same store sees the same ids.
  Topology again(*store, clock, ids, {});
  EXPECT_EQ(again.default_subnets(call.account, call.region)[0].id, made.subnet.id);
  EXPECT_EQ(again.taken(made.subnet.id).size(), 1u);
}

TEST_F(AddressesTest, ReleasedAddressIsNotGivenAgainAtOnce) {
  const auto first = allocate(request());
  release(first.id);
  release(first.id);  // again: nothing happens
  EXPECT_EQ(allocate(request()).address, "172.30.0.5");
  EXPECT_EQ(topology.taken(first.subnet.id).size(), 1u);
}

TEST_F(AddressesTest, ThrowingOwnerLeavesNothing) {
  auto body = [&](store::Txn& tx) {
    addresses.allocate(tx, request());
    throw std::runtime_error("the owner changed its mind");
  };
  EXPECT_THROW(run(store::transact(*store, body)), std::runtime_error);
  EXPECT_EQ(store->revision(), 0);
  EXPECT_EQ(topology.interfaces.size(), 0u);
}

TEST_F(AddressesTest, TwoInOneTransactionDiffer) {
  std::vector<Interface> made;
  auto body = [&](store::Txn& tx) {
    made.clear();
    made.push_back(addresses.allocate(tx, request()));
    made.push_back(addresses.allocate(tx, request()));
  };
  run(store::transact(*store, body));
  EXPECT_NE(made[0].address, made[1].address);
  EXPECT_EQ(topology.interfaces.size(), 2u);
}

TEST_F(AddressesTest, FullSubnetSaysSo) {
  ec2::CreateVpcInput vpc;
  vpc.CidrBlock = "10.9.0.0/24";
  const auto vpc_id = *run(api.CreateVpc(call, vpc)).Vpc->VpcId;
  ec2::CreateSubnetInput subnet;
  subnet.VpcId = vpc_id;
  subnet.CidrBlock = "10.9.0.0/28";
  auto wanted = request();
  wanted.subnet_id = *run(api.CreateSubnet(call, subnet)).Subnet->SubnetId;
  std::vector<std::string> ids;
  for (int i = 0; i < 11; ++i) ids.push_back(allocate(wanted).id);
  try {
    allocate(wanted);
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("has no free address"));
    EXPECT_THAT(error.what(), HasSubstr(wanted.subnet_id));
  }
  release(ids[3]);
  EXPECT_EQ(allocate(wanted).address, "10.9.0.7");
  wanted.subnet_id = "subnet-0";
  EXPECT_THROW(allocate(wanted), core::Error);
}

TEST_F(AddressesTest, AccountsAndRegionsHaveNetworksApart) {
  std::vector<Cidr> blocks;
  for (const auto* region : {"us-east-1", "eu-west-1", "ap-south-1"}) {
    for (const auto* account : {"000000000000", "111111111111"}) {
      auto subnets = addresses.default_subnets(account, region);
      ASSERT_EQ(subnets.size(), 3u);
      EXPECT_EQ(subnets[0].availability_zone, std::string(region) + "a");
      const auto made = allocate({account, region, subnets[0].id, {}, ""});
      EXPECT_EQ(made.subnet.vpc_cidr, subnets[0].vpc_cidr);
      const auto block = *parse_cidr(made.subnet.vpc_cidr);
      for (const auto& other : blocks) EXPECT_FALSE(other.overlaps(block));
      blocks.push_back(block);
    }
  }
  EXPECT_EQ(to_string(blocks[0]), "172.30.0.0/16");
}

TEST(Topology, RefusesABlockItCannotCut) {
  boost::asio::io_context context;
  auto store = store::make_memory_store(context.get_executor());
  core::SystemClock clock;
  core::SeededIdSource ids(1);
  for (const auto* bad : {"172.30.0.0/27", "10.0.0.0/8", "172.30.0.1/16", "nonsense"}) {
    EXPECT_THROW(Topology(*store, clock, ids, {"000000000000", "us-east-1", bad}), core::Error) << bad;
  }
}

}  // namespace
}  // namespace sampan::vpc
