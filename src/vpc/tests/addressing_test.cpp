#include "vpc/addressing.h"

#include <gtest/gtest.h>

#include <set>

namespace sampan::vpc {
namespace {

Cidr block(std::string_view text) {
  return parse_cidr(text).value();
}

TEST(Cidr, ReadsOnlyWhatAwsReads) {
  EXPECT_EQ(to_string(block("10.1.2.3/8")), "10.0.0.0/8");
  EXPECT_EQ(block("0.0.0.0/0").size(), std::uint64_t{1} << 32);
  EXPECT_TRUE(block("0.0.0.0/0").contains(Ipv4{0xffffffff}));
  for (const auto* bad : {"", "10.0.0.0", "10.0.0/8", "10.0.0.256/8", "10.0.0.0/33", "10.0.0.0/8 ",
                          " 10.0.0.0/8", "010.0.0.0/8", "10.0.0.0/08", "10.0.0.0.0/8", "a.b.c.d/8",
                          "10.0.0.0/-1", "10..0.0/8", "10.0.0.0/", "99999999999.0.0.0/8"}) {
    EXPECT_FALSE(parse_cidr(bad)) << bad;
  }
}

TEST(Cidr, OverlapIsSymmetric) {
  EXPECT_TRUE(block("10.0.0.0/8").overlaps(block("10.255.255.240/28")));
  EXPECT_TRUE(block("10.255.255.240/28").overlaps(block("10.0.0.0/8")));
  EXPECT_FALSE(block("10.0.0.0/9").overlaps(block("10.128.0.0/9")));
}

TEST(Addressing, ReservesTheFirstFourAndTheLast) {
  const auto subnet = block("172.30.0.0/28");
  EXPECT_EQ(usable_addresses(subnet), 11);
  EXPECT_EQ(to_string(gateway_of(subnet)), "172.30.0.1");
  std::set<std::uint32_t> taken;
  std::optional<Ipv4> last;
  const auto is_taken = [&](Ipv4 address) { return taken.contains(address.value); };
  std::vector<std::string> given;
  while (auto next = next_address(subnet, last, is_taken)) {
    taken.insert(next->value);
    given.push_back(to_string(*next));
    last = next;
  }
  ASSERT_EQ(given.size(), 11u);
  EXPECT_EQ(given.front(), "172.30.0.4");
  EXPECT_EQ(given.back(), "172.30.0.14");
}

TEST(Addressing, ReleasedAddressRestsUntilTheRotationComesRound) {
  const auto subnet = block("172.30.0.0/28");
  std::set<std::uint32_t> taken;
  const auto is_taken = [&](Ipv4 address) { return taken.contains(address.value); };
  std::optional<Ipv4> last;
  std::vector<std::string> given;
  for (int i = 0; i < 12; ++i) {  // each is released at once
    last = next_address(subnet, last, is_taken);
    given.push_back(to_string(*last));
  }
  EXPECT_EQ(given[0], "172.30.0.4");
  EXPECT_EQ(given[1], "172.30.0.5");
  EXPECT_EQ(given[10], "172.30.0.14");
  EXPECT_EQ(given[11], "172.30.0.4");
}

TEST(Addressing, NamesFollowTheAddress) {
  const auto address = *parse_ipv4("172.30.1.200");
  EXPECT_EQ(mac_of(address), "02:5a:ac:1e:01:c8");
  EXPECT_EQ(private_dns_name(address, "us-east-1"), "ip-172-30-1-200.ec2.internal");
  EXPECT_EQ(private_dns_name(address, "eu-west-1"), "ip-172-30-1-200.eu-west-1.compute.internal");
}

TEST(Addressing, DefaultSubnetsAreSixteenthsOfTheirVpc) {
  const auto blocks = default_subnet_blocks(block("172.30.0.0/16"), 3);
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(to_string(blocks[0]), "172.30.0.0/20");
  EXPECT_EQ(to_string(blocks[2]), "172.30.32.0/20");
  EXPECT_EQ(to_string(default_subnet_blocks(block("10.9.8.0/26"), 3)[2]), "10.9.8.32/28");
}

TEST(Addressing, DefaultBlocksOfOtherRegionsNeverOverlap) {
  const auto configured = block("172.30.0.0/16");
  std::vector<Cidr> existing{block("10.0.0.0/8")};
  EXPECT_FALSE(next_default_block(configured, existing));
  existing = {configured};
  for (int i = 0; i < 128; ++i) {
    const auto next = next_default_block(configured, existing);
    ASSERT_TRUE(next) << i;
    for (const auto& other : existing) EXPECT_FALSE(other.overlaps(*next));
    existing.push_back(*next);
  }
  EXPECT_FALSE(next_default_block(configured, existing));
}

}  // namespace
}  // namespace sampan::vpc
