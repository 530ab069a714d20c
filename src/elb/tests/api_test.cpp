#include <gmock/gmock.h>

#include "elb/names.h"
#include "elb/tests/fixture.h"

namespace sampan::elb {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::SizeIs;

using ElbApiTest = ElbTest;

TEST_F(ElbApiTest, BalancerHasAwssShape) {
  const auto made = *run(api.CreateLoadBalancer(call, balancer_input())).LoadBalancers;
  ASSERT_THAT(made, SizeIs(1));
  EXPECT_THAT(
      *made[0].LoadBalancerArn,
      MatchesRegex("arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/[0-9a-f]+"));
  EXPECT_THAT(*made[0].DNSName, MatchesRegex("shop-[0-9a-f]+\\.us-east-1\\.elb\\.localhost"));
  EXPECT_EQ(*made[0].State->Code, "provisioning");
  EXPECT_EQ(*made[0].VpcId, vpc_id);
  const auto seen = *run(api.DescribeLoadBalancers(call, {})).LoadBalancers;
  EXPECT_EQ(*seen[0].State->Code, "active");
  EXPECT_THAT(*seen[0].AvailabilityZones, SizeIs(3));
}

TEST_F(ElbApiTest, SameSettingsAreTheSameBalancer) {
  const auto first = make_balancer();
  EXPECT_EQ(make_balancer(), first);
  auto other = balancer_input();
  other.Subnets->pop_back();
  EXPECT_EQ(fault(api.CreateLoadBalancer(call, other)), "DuplicateLoadBalancerName");
  const auto group = make_group();
  EXPECT_EQ(make_group(), group);
  auto other_group = group_input();
  other_group.Port = 9090;
  EXPECT_EQ(fault(api.CreateTargetGroup(call, other_group)), "DuplicateTargetGroupName");
}

TEST_F(ElbApiTest, BadBalancersAreRefused) {
  for (const auto* name : {"-a", "a-", "internal-a", "a_b", "a b", ""}) {
    EXPECT_EQ(fault(api.CreateLoadBalancer(call, balancer_input(name))), "ValidationError") << name;
  }
  EXPECT_EQ(fault(api.CreateLoadBalancer(call, balancer_input(std::string(33, 'a')))), "ValidationError");
  EXPECT_EQ(fault(api.CreateLoadBalancer(call, balancer_input(std::string(32, 'a')))), "no fault");
  auto input = balancer_input("b");
  input.Subnets = {"subnet-nope", subnets[0]};
  EXPECT_EQ(fault(api.CreateLoadBalancer(call, input)), "SubnetNotFound");
  input.Subnets = {subnets[0]};
  EXPECT_EQ(fault(api.CreateLoadBalancer(call, input)), "ValidationError");
  input = balancer_input("b");
  input.SecurityGroups = {"sg-nope"};
  EXPECT_EQ(fault(api.CreateLoadBalancer(call, input)), "InvalidSecurityGroup");
  input = balancer_input("b");
  input.Type = "network";
  EXPECT_EQ(fault(api.CreateLoadBalancer(call, input)), "InvalidConfigurationRequest");
}

TEST_F(ElbApiTest, BalancerLimitHoldsAtItsEdge) {
  for (std::size_t i = 0; i < kMostBalancers; ++i) make_balancer("b" + std::to_string(i));
  EXPECT_EQ(fault(api.CreateLoadBalancer(call, balancer_input("more"))), "TooManyLoadBalancers");
}

TEST_F(ElbApiTest, OtherAccountsSeeNothing) {
  const auto arn = make_balancer();
  auto other = call;
  other.account = "111111111111";
  EXPECT_THAT(*run(api.DescribeLoadBalancers(other, {})).LoadBalancers, SizeIs(0));
  elbv2::DescribeLoadBalancersInput by_arn;
  by_arn.LoadBalancerArns = {arn};
  EXPECT_EQ(fault(api.DescribeLoadBalancers(other, by_arn)), "LoadBalancerNotFound");
  elbv2::DeleteLoadBalancerInput gone;
  gone.LoadBalancerArn = arn;
  EXPECT_EQ(fault(api.DeleteLoadBalancer(other, gone)), "LoadBalancerNotFound");
  elbv2::DescribeLoadBalancersInput by_name;
  by_name.Names = {"nope"};
  EXPECT_EQ(fault(api.DescribeLoadBalancers(call, by_name)), "LoadBalancerNotFound");
}

TEST_F(ElbApiTest, DeletionProtectionProtects) {
  const auto arn = make_balancer();
  elbv2::ModifyLoadBalancerAttributesInput attributes;
  attributes.LoadBalancerArn = arn;
  auto& attribute = attributes.Attributes.emplace_back();
  attribute.Key = "deletion_protection.enabled";
  attribute.Value = "true";
  run(api.ModifyLoadBalancerAttributes(call, attributes));
  elbv2::DeleteLoadBalancerInput gone;
  gone.LoadBalancerArn = arn;
  EXPECT_EQ(fault(api.DeleteLoadBalancer(call, gone)), "OperationNotPermitted");
  attributes.Attributes[0].Value = "false";
  run(api.ModifyLoadBalancerAttributes(call, attributes));
  run(api.DeleteLoadBalancer(call, gone));
  run(api.DeleteLoadBalancer(call, gone));  // again: nothing to do
  EXPECT_EQ(registry.balancers.size(), 0u);
}

TEST_F(ElbApiTest, AttributesHaveRanges) {
  const auto group = make_group();
  const auto set = [&](std::string key, std::string value) {
    elbv2::ModifyTargetGroupAttributesInput input;
    input.TargetGroupArn = group;
    auto& attribute = input.Attributes.emplace_back();
    attribute.Key = std::move(key);
    attribute.Value = std::move(value);
    return fault(api.ModifyTargetGroupAttributes(call, input));
  };
  EXPECT_EQ(set("deregistration_delay.timeout_seconds", "0"), "no fault");
  EXPECT_EQ(set("deregistration_delay.timeout_seconds", "3600"), "no fault");
  EXPECT_EQ(set("deregistration_delay.timeout_seconds", "3601"), "ValidationError");
  EXPECT_EQ(set("deregistration_delay.timeout_seconds", "soon"), "ValidationError");
  EXPECT_EQ(set("slow_start.duration_seconds", "29"), "ValidationError");
  EXPECT_EQ(set("slow_start.duration_seconds", "30"), "no fault");
  EXPECT_EQ(set("load_balancing.algorithm.type", "least_outstanding_requests"),
            "ValidationError");  // with slow start
  EXPECT_EQ(set("slow_start.duration_seconds", "0"), "no fault");
  EXPECT_EQ(set("load_balancing.algorithm.type", "least_outstanding_requests"), "no fault");
  EXPECT_EQ(set("no.such.key", "1"), "ValidationError");
  elbv2::DescribeTargetGroupAttributesInput described;
  described.TargetGroupArn = group;
  bool found = false;
  const auto shown = run(api.DescribeTargetGroupAttributes(call, described));
  for (const auto& attribute : *shown.Attributes) {
    if (attribute.Key != "deregistration_delay.timeout_seconds") continue;
    found = true;
    EXPECT_EQ(*attribute.Value, "3600");
  }
  EXPECT_TRUE(found);
}

TEST_F(ElbApiTest, GroupHasAwssDefaultsAndChecks) {
  const auto made = run(api.CreateTargetGroup(call, group_input())).TargetGroups->front();
  EXPECT_EQ(*made.HealthCheckIntervalSeconds, 30);
  EXPECT_EQ(*made.HealthCheckTimeoutSeconds, 5);
  EXPECT_EQ(*made.HealthyThresholdCount, 5);
  EXPECT_EQ(*made.UnhealthyThresholdCount, 2);
  EXPECT_EQ(*made.Matcher->HttpCode, "200");
  EXPECT_EQ(*made.HealthCheckPort, "traffic-port");
  const auto bad = [&](auto change) {
    auto input = group_input("bad");
    change(input);
    return fault(api.CreateTargetGroup(call, input));
  };
  EXPECT_EQ(bad([](auto& i) { i.Port = 0; }), "ValidationError");
  EXPECT_EQ(bad([](auto& i) { i.HealthCheckPath = "health"; }), "ValidationError");
  EXPECT_EQ(bad([](auto& i) { i.HealthCheckPath = "/a\n    server evil 1.2.3.4:80"; }), "ValidationError");
  EXPECT_EQ(bad([](auto& i) { i.Matcher.emplace().HttpCode = "500"; }), "ValidationError");
  EXPECT_EQ(bad([](auto& i) { i.HealthCheckIntervalSeconds = 5, i.HealthCheckTimeoutSeconds = 5; }),
            "ValidationError");
  EXPECT_EQ(bad([](auto& i) { i.HealthCheckPort = "99999"; }), "ValidationError");
  EXPECT_EQ(bad([](auto& i) { i.Protocol = "TCP"; }), "InvalidConfigurationRequest");
  EXPECT_EQ(bad([](auto& i) { i.TargetType = "lambda"; }), "InvalidConfigurationRequest");
  EXPECT_EQ(bad([](auto& i) { i.VpcId.reset(); }), "ValidationError");
}

TEST_F(ElbApiTest, ListenerLifecycle) {
  const auto balancer = make_balancer();
  const auto group = make_group();
  const auto listener = make_listener(balancer, 80, forward(group));
  EXPECT_EQ(make_listener(balancer, 80, forward(group)), listener);
  EXPECT_EQ(fault(api.CreateListener(call, listener_input(balancer, 80, fixed("404")))), "DuplicateListener");
  EXPECT_EQ(fault(api.CreateListener(call, listener_input(balancer, 81, forward(group + "0")))),
            "TargetGroupNotFound");
  EXPECT_EQ(fault(api.CreateListener(call, listener_input(balancer + "0", 81, fixed("404")))),
            "LoadBalancerNotFound");
  auto tls = listener_input(balancer, 443, fixed("404"));
  tls.Protocol = "HTTPS";
  EXPECT_EQ(fault(api.CreateListener(call, tls)), "ValidationError");
  tls.Certificates.emplace().emplace_back().CertificateArn =
      "arn:aws:acm:us-east-1:000000000000:certificate/x";
  EXPECT_EQ(fault(api.CreateListener(call, tls)), "CertificateNotFound");

  elbv2::DeleteTargetGroupInput gone_group;
  gone_group.TargetGroupArn = group;
  EXPECT_EQ(fault(api.DeleteTargetGroup(call, gone_group)), "ResourceInUse");
  const auto other = make_balancer("other");
  EXPECT_EQ(fault(api.CreateListener(call, listener_input(other, 81, forward(group)))),
            "TargetGroupAssociationLimit");

  const auto described = run(api.DescribeTargetGroups(call, {})).TargetGroups->front();
  EXPECT_THAT(*described.LoadBalancerArns, testing::ElementsAre(balancer));
  elbv2::DeleteListenerInput gone;
  gone.ListenerArn = listener;
  run(api.DeleteListener(call, gone));
  EXPECT_EQ(fault(api.DeleteListener(call, gone)), "ListenerNotFound");
  run(api.DeleteTargetGroup(call, gone_group));
}

TEST_F(ElbApiTest, TakenPortLeavesNothing) {
  const auto balancer = make_balancer();
  data_plane.seen_taken[80] = "port 80 of 127.0.0.1 is in use by nginx (pid 12): choose another port";
  EXPECT_EQ(fault(api.CreateListener(call, listener_input(balancer, 80, fixed("404")))),
            "InvalidConfigurationRequest");
  EXPECT_THAT(last_message, HasSubstr("port 80 of 127.0.0.1 is in use by nginx (pid 12)"));
  data_plane.taken[81] = "port 81 of 127.0.0.1 is in use";  // between our look and the binding
  EXPECT_EQ(fault(api.CreateListener(call, listener_input(balancer, 81, fixed("404")))),
            "InvalidConfigurationRequest");
  data_plane.failure = "haproxy would not start";
  EXPECT_EQ(fault(api.CreateListener(call, listener_input(balancer, 82, fixed("404")))),
            "InvalidConfigurationRequest");
  EXPECT_EQ(registry.listeners.size(), 0u);
}

TEST_F(ElbApiTest, RulesInOrderWithTheDefaultLast) {
  const auto listener = make_listener(make_balancer(), 80, fixed("404"));
  const auto second =
      *run(api.CreateRule(call, rule_input(listener, 20, path({"/b"}), fixed("200")))).Rules->front().RuleArn;
  const auto first =
      *run(api.CreateRule(call, rule_input(listener, 10, path({"/a"}), fixed("200")))).Rules->front().RuleArn;
  EXPECT_EQ(fault(api.CreateRule(call, rule_input(listener, 10, path({"/c"}), fixed("200")))),
            "PriorityInUse");
  EXPECT_EQ(fault(api.CreateRule(call, rule_input(listener, 0, path({"/c"}), fixed("200")))),
            "ValidationError");
  EXPECT_EQ(fault(api.CreateRule(call, rule_input(listener, 50001, path({"/c"}), fixed("200")))),
            "ValidationError");
  elbv2::DescribeRulesInput described;
  described.ListenerArn = listener;
  auto rules = *run(api.DescribeRules(call, described)).Rules;
  ASSERT_THAT(rules, SizeIs(3));
  EXPECT_EQ(*rules[0].RuleArn, first);
  EXPECT_EQ(*rules[2].Priority, "default");
  const auto default_arn = *rules[2].RuleArn;
  EXPECT_EQ(listener_of_rule(default_arn), listener);

  elbv2::SetRulePrioritiesInput swap;
  for (const auto& [arn, priority] : {std::pair{first, 20}, std::pair{second, 10}}) {
    auto& pair = swap.RulePriorities.emplace_back();
    pair.RuleArn = arn;
    pair.Priority = priority;
  }
  run(api.SetRulePriorities(call, swap));
  EXPECT_EQ(*run(api.DescribeRules(call, described)).Rules->front().RuleArn, second);
  swap.RulePriorities.pop_back();
  swap.RulePriorities[0].Priority = 10;
  EXPECT_EQ(fault(api.SetRulePriorities(call, swap)), "PriorityInUse");

  elbv2::DeleteRuleInput gone;
  gone.RuleArn = default_arn;
  EXPECT_EQ(fault(api.DeleteRule(call, gone)), "OperationNotPermitted");
  gone.RuleArn = first;
  run(api.DeleteRule(call, gone));
  EXPECT_EQ(fault(api.DeleteRule(call, gone)), "RuleNotFound");
  elbv2::ModifyRuleInput modify;
  modify.RuleArn = default_arn;
  modify.Actions = {fixed("503")};
  EXPECT_EQ(*run(api.ModifyRule(call, modify))
                 .Rules->front()
                 .Actions->front()
                 .FixedResponseConfig->StatusCode.begin(),
            '5');
}

TEST_F(ElbApiTest, ConditionsAndActionsAreChecked) {
  const auto listener = make_listener(make_balancer(), 80, fixed("404"));
  int priority = 0;
  const auto with = [&](elbv2::RuleCondition condition, elbv2::Action action) {
    return fault(
        api.CreateRule(call, rule_input(listener, ++priority, std::move(condition), std::move(action))));
  };
  elbv2::RuleCondition host;
  host.Field = "host-header";
  host.HostHeaderConfig.emplace().Values = {"*.example.com", "a.b"};
  EXPECT_EQ(with(host, fixed("200")), "no fault");
  host.HostHeaderConfig->Values = {std::string(129, 'a')};
  EXPECT_EQ(with(host, fixed("200")), "ValidationError");
  host.HostHeaderConfig->Values = {"a b"};
  EXPECT_EQ(with(host, fixed("200")), "ValidationError");
  EXPECT_EQ(with(path({"/1", "/2", "/3", "/4", "/5"}), fixed("200")), "no fault");
  EXPECT_EQ(with(path({"/1", "/2", "/3", "/4", "/5", "/6"}), fixed("200")), "ValidationError");
  EXPECT_EQ(with(path({"/*/*/*/*/*"}), fixed("200")), "no fault");
  EXPECT_EQ(with(path({"/*/*/*/*/*/*"}), fixed("200")), "ValidationError");
  EXPECT_EQ(with(path({"/a\n}"}), fixed("200")), "ValidationError");
  EXPECT_EQ(with(path({}), fixed("200")), "ValidationError");
  elbv2::RuleCondition source;
  source.Field = "source-ip";
  source.SourceIpConfig.emplace().Values = {"10.0.0.0/8", "2001:db8::/32"};
  EXPECT_EQ(with(source, fixed("200")), "no fault");
  source.SourceIpConfig->Values = {"10.0.0.0"};
  EXPECT_EQ(with(source, fixed("200")), "ValidationError");
  elbv2::RuleCondition method;
  method.Field = "http-request-method";
  method.HttpRequestMethodConfig.emplace().Values = {"get"};
  EXPECT_EQ(with(method, fixed("200")), "ValidationError");
  elbv2::RuleCondition header;
  header.Field = "http-header";
  header.HttpHeaderConfig.emplace().HttpHeaderName = "x y";
  header.HttpHeaderConfig->Values = {"1"};
  EXPECT_EQ(with(header, fixed("200")), "ValidationError");
  EXPECT_EQ(with(path({"/f"}), fixed("301")), "ValidationError");
  EXPECT_EQ(with(path({"/f"}), fixed("200", std::string(1024, 'x'))), "no fault");
  EXPECT_EQ(with(path({"/f"}), fixed("200", std::string(1025, 'x'))), "ValidationError");
  elbv2::Action redirect;
  redirect.Type = "redirect";
  redirect.RedirectConfig.emplace().StatusCode = "HTTP_301";
  EXPECT_EQ(with(path({"/r"}), redirect), "InvalidLoadBalancerAction");  // a loop
  redirect.RedirectConfig->Path = "/elsewhere";
  EXPECT_EQ(with(path({"/r"}), redirect), "no fault");
  elbv2::Action login;
  login.Type = "authenticate-oidc";
  EXPECT_EQ(with(path({"/l"}), login), "InvalidLoadBalancerAction");
}

TEST_F(ElbApiTest, RuleLimitHoldsAtItsEdge) {
  const auto listener = make_listener(make_balancer(), 80, fixed("404"));
  for (std::size_t i = 1; i <= kMostRules; ++i) {
    run(api.CreateRule(call, rule_input(listener, static_cast<int>(i), path({"/"}), fixed("200"))));
  }
  EXPECT_EQ(fault(api.CreateRule(call, rule_input(listener, 1000, path({"/"}), fixed("200")))),
            "TooManyRules");
}

TEST_F(ElbApiTest, TargetsAreRegisteredAndDrained) {
  const auto balancer = make_balancer();
  const auto group = make_group();
  EXPECT_EQ(fault(api.RegisterTargets(call, register_input(group, {"8.8.8.8"}))), "InvalidTarget");
  EXPECT_EQ(fault(api.RegisterTargets(call, register_input(group, {"i-0123"}))), "ValidationError");
  EXPECT_EQ(fault(api.RegisterTargets(call, register_input(group, {"10.0.0.4"}, 70000))), "ValidationError");
  run(api.RegisterTargets(call, register_input(group, {"10.0.0.4", "10.0.0.5"})));
  run(api.RegisterTargets(call, register_input(group, {"10.0.0.4"}, 9000)));
  elbv2::DescribeTargetHealthInput described;
  described.TargetGroupArn = group;
  EXPECT_THAT(*run(api.DescribeTargetHealth(call, described)).TargetHealthDescriptions, SizeIs(3));

  make_listener(balancer, 80, forward(group));
  elbv2::DeregisterTargetsInput out;
  out.TargetGroupArn = group;
  out.Targets.emplace_back().Id = "10.0.0.4";
  run(api.DeregisterTargets(call, out));
  const auto* row = registry.targets.find(target_key(group, "10.0.0.4", 8080));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->draining_until, call.now + std::chrono::seconds(300));
  EXPECT_TRUE(registry.targets.find(target_key(group, "10.0.0.4", 9000))->draining());
  EXPECT_FALSE(registry.targets.find(target_key(group, "10.0.0.5", 8080))->draining());
  run(api.RegisterTargets(call, register_input(group, {"10.0.0.4"})));  // back from draining
  EXPECT_FALSE(registry.targets.find(target_key(group, "10.0.0.4", 8080))->draining());
  described.Targets.emplace().emplace_back().Id = "10.9.9.9";
  const auto unknown = *run(api.DescribeTargetHealth(call, described)).TargetHealthDescriptions;
  EXPECT_EQ(*unknown[0].TargetHealth->Reason, "Target.NotRegistered");
}

TEST_F(ElbApiTest, TargetLimitHoldsAtItsEdge) {
  const auto group = make_group();
  for (int block = 0; block < 10; ++block) {
    std::vector<std::string> addresses;
    for (int i = 0; i < 100; ++i)
      addresses.push_back("10.1." + std::to_string(block) + "." + std::to_string(i));
    run(api.RegisterTargets(call, register_input(group, addresses)));
  }
  EXPECT_EQ(registry.targets.size(), kMostTargets);
  EXPECT_EQ(fault(api.RegisterTargets(call, register_input(group, {"10.2.0.1"}))), "TooManyTargets");
}

TEST_F(ElbApiTest, SchedulersDoorIsIdempotent) {
  const auto group = make_group();
  make_listener(make_balancer(), 80, forward(group));
  const Target target{group, "172.30.0.4", 8080};
  run(targets.add(target, "us-east-1a"));
  run(targets.add(target, "us-east-1a"));
  EXPECT_EQ(registry.targets.size(), 1u);
  EXPECT_TRUE(targets.group(group)->has_load_balancer);
  EXPECT_EQ(targets.group(group)->target_type, "ip");
  EXPECT_FALSE(targets.group("arn:nope"));
  run(targets.remove(target));
  const auto until = registry.targets.begin()->second.value.draining_until;
  clock.advance(std::chrono::seconds(10));
  run(targets.remove(target));
  EXPECT_EQ(registry.targets.begin()->second.value.draining_until, until);
  EXPECT_THROW(run(targets.add({"arn:nope", "172.30.0.4", 80}, "")), core::Error);
}

TEST_F(ElbApiTest, PagesCoverEverythingOnce) {
  for (int i = 0; i < 5; ++i) make_group("g" + std::to_string(i));
  elbv2::DescribeTargetGroupsInput input;
  input.PageSize = 2;
  std::set<std::string> seen;
  int pages = 0;
  do {
    const auto page = run(api.DescribeTargetGroups(call, input));
    for (const auto& group : *page.TargetGroups) EXPECT_TRUE(seen.insert(*group.TargetGroupName).second);
    input.Marker = page.NextMarker;
    ++pages;
  } while (input.Marker);
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_EQ(pages, 3);
  input.Marker = "?";
  EXPECT_EQ(fault(api.DescribeTargetGroups(call, input)), "ValidationError");
}

TEST_F(ElbApiTest, TagsFollowTheirResource) {
  const auto arn = make_balancer();
  elbv2::AddTagsInput add;
  add.ResourceArns = {arn};
  auto& tag = add.Tags.emplace_back();
  tag.Key = "team";
  tag.Value = "boats";
  run(api.AddTags(call, add));
  elbv2::DescribeTagsInput described;
  described.ResourceArns = {arn};
  EXPECT_EQ(*run(api.DescribeTags(call, described)).TagDescriptions->front().Tags->front().Value, "boats");
  add.Tags.push_back(add.Tags.front());
  EXPECT_EQ(fault(api.AddTags(call, add)), "DuplicateTagKeys");
  described.ResourceArns = {arn + "0"};
  EXPECT_EQ(fault(api.DescribeTags(call, described)), "LoadBalancerNotFound");
}

}  // namespace
}  // namespace sampan::elb
