// The ELBv2 API over a memory store and a data plane that only remembers, and a way to run a coroutine in a
// test.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "core/clock.h"
#include "core/random.h"
#include "elb/elb_api.h"
#include "elb/group_targets.h"
#include "store/memory_store.h"
#include "vpc/addresses.h"

namespace sampan::elb {

class FakeDataPlane final : public DataPlane {
 public:
  boost::asio::awaitable<std::map<int, std::string>> apply() override {
    ++applied;
    if (!failure.empty()) throw core::Error(failure);
    co_return taken;
  }
  boost::asio::awaitable<std::optional<std::string>> port_trouble(int port) override {
    const auto found = seen_taken.find(port);
    if (found == seen_taken.end()) co_return std::nullopt;
    co_return found->second;
  }
  bool listens(int port) const override { return !taken.contains(port); }
  TargetHealth health(const std::string&, const std::string& address, int) const override {
    return unhealthy.contains(address) ? TargetHealth{"unhealthy", "Target.Timeout", "Request timed out"}
                                       : TargetHealth{"healthy", "", ""};
  }
  void on_change(std::function<void(const Target&)> listener) override {
    listeners.push_back(std::move(listener));
  }

  int applied = 0;
  std::string failure;
  std::map<int, std::string> taken;       // found out when binding
  std::map<int, std::string> seen_taken;  // found out before
  std::set<std::string> unhealthy;
  std::vector<std::function<void(const Target&)>> listeners;
};

struct ElbTest : testing::Test {
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr error, T value) {
      failure = error;
      result = std::move(value);
    });
    context.restart();
    context.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
  void run(boost::asio::awaitable<void> work) {
    std::exception_ptr failure;
    boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr error) { failure = error; });
    context.restart();
    context.run();
    if (failure) std::rethrow_exception(failure);
  }
  // The code of the fault that `work` ends with.
  template <class T>
  std::string fault(boost::asio::awaitable<T> work) {
    try {
      run(std::move(work));
    } catch (const aws::Fault& error) {
      last_message = error.what();
      return error.code();
    }
    return "no fault";
  }

  ElbTest() {
    call.account = "000000000000";
    call.region = "us-east-1";
    call.now = clock.now();
    for (const auto& subnet : interfaces.default_subnets(call.account, call.region)) {
      subnets.push_back(subnet.id);
      vpc_id = subnet.vpc_id;
    }
  }

  elbv2::CreateLoadBalancerInput balancer_input(std::string name = "shop") const {
    elbv2::CreateLoadBalancerInput input;
    input.Name = std::move(name);
    input.Subnets = subnets;
    return input;
  }
  std::string make_balancer(std::string name = "shop") {
    return *run(api.CreateLoadBalancer(call, balancer_input(std::move(name))))
                .LoadBalancers->front()
                .LoadBalancerArn;
  }
  elbv2::CreateTargetGroupInput group_input(std::string name = "web") const {
    elbv2::CreateTargetGroupInput input;
    input.Name = std::move(name);
    input.Protocol = "HTTP";
    input.Port = 8080;
    input.VpcId = vpc_id;
    input.TargetType = "ip";
    return input;
  }
  std::string make_group(std::string name = "web") {
    return *run(api.CreateTargetGroup(call, group_input(std::move(name))))
                .TargetGroups->front()
                .TargetGroupArn;
  }
  static elbv2::Action forward(std::string group) {
    elbv2::Action action;
    action.Type = "forward";
    action.TargetGroupArn = std::move(group);
    return action;
  }
  static elbv2::Action fixed(std::string status, std::string body = "") {
    elbv2::Action action;
    action.Type = "fixed-response";
    auto& config = action.FixedResponseConfig.emplace();
    config.StatusCode = std::move(status);
    if (!body.empty()) config.MessageBody = std::move(body);
    return action;
  }
  static elbv2::CreateListenerInput listener_input(std::string balancer, int port, elbv2::Action action) {
    elbv2::CreateListenerInput input;
    input.LoadBalancerArn = std::move(balancer);
    input.Protocol = "HTTP";
    input.Port = port;
    input.DefaultActions = {std::move(action)};
    return input;
  }
  std::string make_listener(std::string balancer, int port, elbv2::Action action) {
    auto input = listener_input(std::move(balancer), port, std::move(action));
    return *run(api.CreateListener(call, input)).Listeners->front().ListenerArn;
  }
  static elbv2::RuleCondition path(std::vector<std::string> values) {
    elbv2::RuleCondition condition;
    condition.Field = "path-pattern";
    condition.Values = std::move(values);
    return condition;
  }
  static elbv2::CreateRuleInput rule_input(std::string listener, int priority, elbv2::RuleCondition condition,
                                           elbv2::Action action) {
    elbv2::CreateRuleInput input;
    input.ListenerArn = std::move(listener);
    input.Priority = priority;
    input.Conditions = {std::move(condition)};
    input.Actions = {std::move(action)};
    return input;
  }
  static elbv2::RegisterTargetsInput register_input(std::string group, std::vector<std::string> addresses,
                                                    std::optional<int> port = std::nullopt) {
    elbv2::RegisterTargetsInput input;
    input.TargetGroupArn = std::move(group);
    for (auto& address : addresses) {
      auto& target = input.Targets.emplace_back();
      target.Id = std::move(address);
      target.Port = port;
    }
    return input;
  }

  boost::asio::io_context context;
  std::unique_ptr<store::Store> store = store::make_memory_store(context.get_executor());
  core::ManualClock clock{core::from_epoch_seconds(1'700'000'000)};
  core::SeededIdSource ids{11};
  vpc::Topology topology{*store, clock, ids, {}};
  vpc::Addresses interfaces{topology};
  Registry registry{*store};
  FakeDataPlane data_plane;
  ElbApi api{registry, data_plane, interfaces, ids};
  GroupTargets targets{registry, data_plane, clock};
  aws::Call call;
  std::vector<std::string> subnets;
  std::string vpc_id;
  std::string last_message;
};

}  // namespace sampan::elb
