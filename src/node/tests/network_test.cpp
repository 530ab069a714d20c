#include <gmock/gmock.h>

#include "node/tests/machine.h"
#include "node/teardown.h"

namespace sampan::node {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class KernelNetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!root()) GTEST_SKIP() << "needs root: network namespaces, nftables";
    instance_ = fresh_instance();
    start_ = fresh_cidr_start();
    run_ = std::make_unique<io::TemporaryDirectory>("/var/tmp", "net-");
    running_ = std::make_unique<Running>();
    network_ = make();
  }
  void TearDown() override {
    if (!running_) return;
    network_.reset();
    EXPECT_THAT(teardown_network(run_->path(), instance_), IsEmpty());
    EXPECT_EQ(shell("ip -o link | grep sp" + instance_), "");
    EXPECT_EQ(shell("nft list tables | grep sampan-" + instance_), "");
    EXPECT_EQ(shell("grep -F " + run_->path().string() + " /proc/self/mountinfo"), "");
  }

  std::unique_ptr<KernelNetwork> make() {
    return std::make_unique<KernelNetwork>(
        running_->executors, KernelNetworkOptions{run_->path(), instance_, UserNamespaces::kFargate, 2});
  }
  NetworkRequest request(const std::string& id, int host, bool user_namespace = false) {
    NetworkRequest made;
    made.task_id = id;
    made.network = vpc_network(start_, host);
    made.user_namespace = user_namespace;
    return made;
  }
  static std::string in(const Sandbox& sandbox, const std::string& command) {
    return shell("nsenter --net=" + sandbox.network_namespace.string() + " sh -c '" + command + "' 2>&1");
  }

  std::string instance_, start_;
  std::unique_ptr<io::TemporaryDirectory> run_;
  std::unique_ptr<Running> running_;
  std::unique_ptr<KernelNetwork> network_;
};

const std::string kOne = "aaaaaaaa000000000000000000000001";
const std::string kTwo = "bbbbbbbb000000000000000000000002";

TEST_F(KernelNetworkTest, RoutesBetweenTasksThroughTheHost) {
  auto one = network_->attach(request(kOne, 11));
  auto two = network_->attach(request(kTwo, 12, true));
  EXPECT_THAT(in(one, "busybox ping -c1 -W2 " + start_ + ".12"), HasSubstr(" 0% packet loss"));
  EXPECT_THAT(in(two, "busybox ping -c1 -W2 " + start_ + ".1"), HasSubstr(" 0% packet loss"))
      << "its gateway";
  EXPECT_THAT(in(one, "ip neigh show " + start_ + ".12"),
              HasSubstr(shell("cat /sys/class/net/sp" + instance_ + "br*/address").substr(0, 17)))
      << "a neighbour resolves to the bridge, so that the inet chains see every packet";
  EXPECT_THAT(shell("cat /sys/class/net/sp" + instance_ + "vaaaaaaaa/brport/isolated"), "1\n");
  ASSERT_TRUE(two.ids);
  EXPECT_TRUE(is_pinned(two.user_namespace));
}

TEST_F(KernelNetworkTest, MasqueradesOnlyWhatLeavesTheVpc) {
  network_->attach(request(kOne, 11));
  auto rules = shell("nft list chain inet sampan-" + instance_ + " post");
  EXPECT_THAT(rules, HasSubstr("ip saddr " + start_ + ".0/24 oifname != \"sp" + instance_ + "br"));
  EXPECT_THAT(rules, HasSubstr("masquerade"));
  EXPECT_EQ(shell("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
}

TEST_F(KernelNetworkTest, DropsForgedSources) {
  auto one = network_->attach(request(kOne, 11));
  auto two = network_->attach(request(kTwo, 12));
  in(one, "ip addr add " + start_ + ".99/24 dev eth0");
  EXPECT_THAT(in(one, "busybox ping -c1 -W1 -I " + start_ + ".99 " + start_ + ".12"),
              HasSubstr("100% packet loss"));
  in(two,
     "ip link set eth0 down; ip link set eth0 address 02:11:22:33:44:55; ip link set eth0 up; ip route add "
     "default via " +
         start_ + ".1");
  EXPECT_THAT(in(two, "busybox ping -c1 -W1 " + start_ + ".11"), HasSubstr("100% packet loss"));
}

TEST_F(KernelNetworkTest, KeepsTasksAwayFromTheHost) {
  auto one = network_->attach(request(kOne, 11));
  io::Command listen;
  auto probe = [&](const std::string& address) {
    return in(one, "busybox nc -w 1 " + address + " 22 </dev/null && echo open || echo closed");
  };
  shell("(busybox nc -l -p 45222 >/dev/null 2>&1 & echo $! > " + (run_->path() / "nc").string() + ")");
  EXPECT_THAT(in(one, "busybox nc -w 1 " + start_ + ".1 45222 </dev/null && echo open || echo closed"),
              HasSubstr("closed"));
  EXPECT_THAT(probe("169.254.169.254"), HasSubstr("closed"));
  shell("kill $(cat " + (run_->path() / "nc").string() + ")");
}

TEST_F(KernelNetworkTest, DetachLeavesNothingOfTheTask) {
  network_->attach(request(kOne, 11, true));
  network_->detach(kOne);
  network_->detach(kOne);
  EXPECT_THAT(shell("nft list table bridge sampan-" + instance_), Not(HasSubstr(start_ + ".11")));
  EXPECT_THAT(shell("nft list table inet sampan-" + instance_), Not(HasSubstr(start_ + ".11")));
  EXPECT_TRUE(std::filesystem::is_empty(run_->path() / "netns"));
  EXPECT_TRUE(std::filesystem::is_empty(run_->path() / "userns"));
  auto again = network_->attach(request(kTwo, 11));
  EXPECT_THAT(in(again, "busybox ping -c1 -W2 " + start_ + ".1"), HasSubstr(" 0% packet loss"))
      << "the address is free again";
}

TEST_F(KernelNetworkTest, RecoversKnownTasksAndDropsStrangers) {
  auto known = request(kOne, 11, true);
  auto sandbox = network_->attach(known);
  network_->attach(request(kTwo, 12));
  network_.reset();
  shell("nft delete table inet sampan-" + instance_ + "; nft delete table bridge sampan-" + instance_);
  network_ = make();
  EXPECT_THAT(network_->recover({{known, sandbox}}), testing::ElementsAre(kOne));
  EXPECT_FALSE(std::filesystem::exists(run_->path() / "netns" / kTwo));
  EXPECT_THAT(in(sandbox, "busybox ping -c1 -W2 " + start_ + ".1"), HasSubstr(" 0% packet loss"));
  EXPECT_THAT(shell("nft list set bridge sampan-" + instance_ + " port-src"), HasSubstr(start_ + ".11"));
  unpin_namespace(sandbox.network_namespace);
  EXPECT_THAT(network_->recover({{known, sandbox}}), IsEmpty()) << "as after a reboot";
}

TEST_F(KernelNetworkTest, GuardsAddressesBySecurityRules) {
  auto one = network_->attach(request(kOne, 11));
  auto two = network_->attach(request(kTwo, 12));
  SecurityRules rules;
  rules.chains["g-in"] = {"ip protocol icmp drop", "accept"};
  rules.inbound[start_ + ".12"] = "g-in";
  network_->secure(rules);
  EXPECT_THAT(in(one, "busybox ping -c1 -W1 " + start_ + ".12"), HasSubstr("100% packet loss"));
  network_->secure({});
  EXPECT_THAT(in(one, "busybox ping -c1 -W2 " + start_ + ".12"), HasSubstr(" 0% packet loss"));
}

TEST_F(KernelNetworkTest, MendsAFlushedRuleSet) {
  network_->attach(request(kOne, 11));
  shell("nft delete table inet sampan-" + instance_);
  network_->maintain();
  EXPECT_THAT(shell("nft list set inet sampan-" + instance_ + " tasks"), HasSubstr(start_ + ".11"));
}

TEST_F(KernelNetworkTest, NoneHasLoopbackOnlyAndHostHasNoNamespace) {
  auto none = request(kOne, 11);
  none.network.mode = "none";
  auto sandbox = network_->attach(none);
  EXPECT_THAT(in(sandbox, "ip -o link"), Not(HasSubstr("eth0")));
  EXPECT_THAT(in(sandbox, "busybox ping -c1 -W1 127.0.0.1"), HasSubstr(" 0% packet loss"));
  auto host = request(kTwo, 12);
  host.network.mode = "host";
  EXPECT_TRUE(network_->attach(host).network_namespace.empty());
}

}  // namespace
}  // namespace sampan::node
