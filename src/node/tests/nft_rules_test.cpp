#include "node/nft_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <thread>

#include "node/nft.h"

namespace sampan::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const InstanceNames kNames{"be07"};

// Runs `work` in a network namespace of its own, so that other programs' chains can be played.
template <class F>
void in_empty_network(F work) {
  std::thread([&] {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    work();
  }).join();
}

TEST(InstanceNames, FitTheKernelsFifteenCharacters) {
  EXPECT_EQ(kNames.table(), "sampan-be07");
  EXPECT_EQ(kNames.port("0123456789abcdef0123456789abcdef"), "spbe07v01234567");
  EXPECT_LE(kNames.port("0123456789abcdef0123456789abcdef").size(), 15u);
  EXPECT_LE(kNames.bridge("vpc-0123456789abcdef0").size(), 15u);
  EXPECT_NE(kNames.bridge("vpc-1"), kNames.bridge("vpc-2"));
}

TEST(NftRules, KernelTakesTablesAndChanges) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: nftables";
  in_empty_network([] {
    Nft nft;
    FilterState state;
    state.bridges.push_back({kNames.bridge("vpc-1"), "172.29.0.0/16"});
    PortRules one{kNames.port("0123456789ab"), "02:00:00:00:00:01", "172.29.0.4"};
    PortRules two{kNames.port("1123456789ab"), "02:00:00:00:00:02", "172.29.0.5"};
    std::vector<Publication> published = {{32768, "tcp", "172.29.0.5", 80}};
    state.ports["0123456789ab"] = one;
    state.chains["g-in"] = {"tcp dport 80 accept", "drop"};
    state.guard_in["172.29.0.4"] = "jump g-in";
    nft.apply(render_tables(kNames, state));
    nft.apply(render_tables(kNames, state));
    nft.apply(render_add_port(kNames, two, published));
    EXPECT_THAT(nft.list_json("list map inet sampan-be07 published"), HasSubstr("32768"));
    nft.apply(render_remove_port(kNames, two, published));
    EXPECT_FALSE(nft.try_apply(render_remove_port(kNames, two, published))) << "gone already";
    nft.apply(render_removal(kNames));
    nft.apply(render_removal(kNames));
    EXPECT_EQ(nft.list_json("list chain inet sampan-be07 forward"), "");
  });
}

TEST(NftRules, FindsWhereOthersDropForwardedPackets) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: nftables";
  in_empty_network([] {
    Nft nft;
    EXPECT_THAT(find_dropping_chains(nft.list_json("list chains"), kNames), IsEmpty());
    nft.apply(
        "table ip filter { chain DOCKER-USER { }\n chain FORWARD { type filter hook forward priority 0; "
        "policy drop;\n }\n }\n"
        "table inet other { chain through { type filter hook forward priority 0; policy drop;\n }\n }\n"
        "table inet open { chain through { type filter hook forward priority 0; policy accept;\n }\n }\n");
    auto places = find_dropping_chains(nft.list_json("list chains"), kNames);
    EXPECT_THAT(places, ElementsAre(ForeignChain{"ip", "filter", "DOCKER-USER"},
                                    ForeignChain{"inet", "other", "through"}));
    for (const auto& place : places) nft.apply(render_foreign_accepts(place, kNames));
    auto list = [&] { return nft.list_json("list chain ip filter DOCKER-USER"); };
    auto handles = find_own_rules(list(), kNames);
    EXPECT_THAT(handles, SizeIs(2));
    EXPECT_THAT(find_own_rules(list(), InstanceNames{"ffff"}), IsEmpty())
        << "another instance's are not ours";
    for (auto handle : handles) nft.apply(render_rule_removal(places[0], handle));
    EXPECT_THAT(find_own_rules(list(), kNames), IsEmpty());
  });
}

TEST(NftRules, ReadsNothingFromBadText) {
  EXPECT_THAT(find_dropping_chains("", kNames), IsEmpty());
  EXPECT_THAT(find_dropping_chains("[]", kNames), IsEmpty());
  EXPECT_THAT(find_own_rules("{\"nftables\": 3}", kNames), IsEmpty());
}

}  // namespace
}  // namespace sampan::node
