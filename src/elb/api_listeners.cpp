// Listeners: a load balancer's ports.
#include <fmt/core.h>

#include <algorithm>

#include "elb/elb_api.h"
#include "elb/names.h"
#include "elb/rule_checks.h"

namespace sampan::elb {
namespace {

void check_protocol(const std::string& protocol,
                    const std::optional<std::vector<elbv2::Certificate>>& certificates) {
  if (protocol == "HTTP") return;
  if (protocol == "HTTPS") {
    if (certificates && !certificates->empty()) {
      throw elbv2::CertificateNotFoundException(fmt::format(
          "Certificate '{}' not found: there is no certificate store here yet; use an HTTP listener",
          certificates->front().CertificateArn.value_or("")));
    }
    invalid("A certificate must be specified for HTTPS listeners");
  }
  throw elbv2::UnsupportedProtocolException(
      fmt::format("Protocol '{}' is not supported by application load balancers: use HTTP", protocol));
}

void check_port(int port) {
  if (port < 1 || port > 65535) invalid(fmt::format("Port '{}' must be between '1' and '65535'", port));
}

// A redirect of everything to where it came from.
void check_redirect_loop(const std::vector<elbv2::Action>& actions, int port) {
  for (const auto& action : actions) {
    if (!action.RedirectConfig) continue;
    const auto& to = *action.RedirectConfig;
    const bool same_protocol = to.Protocol == "#{protocol}" || to.Protocol == "HTTP";
    const bool same_port = to.Port == "#{port}" || to.Port == std::to_string(port);
    if (same_protocol && same_port && to.Host == "#{host}" && to.Path == "/#{path}") {
      throw elbv2::InvalidLoadBalancerActionException(
          "The redirect configuration is not valid because it creates a loop.");
    }
  }
}

bool same_listener(const elbv2::Listener& a, const elbv2::Listener& b) {
  return a.Protocol == b.Protocol && a.DefaultActions == b.DefaultActions;
}

}  // namespace

void ElbApi::check_groups(store::Txn& tx, const aws::Call& call, const BalancerRow& balancer,
                          const std::vector<elbv2::Action>& actions) const {
  const auto& balancer_arn = *balancer.shape.LoadBalancerArn;
  const auto named = groups_in(actions);
  if (named.empty()) return;
  auto users = registry_.group_users();
  for (const auto& arn : named) {
    const auto row = group(tx, call, arn);
    if (row.shape.VpcId != balancer.shape.VpcId) {
      throw elbv2::InvalidConfigurationRequestException(
          fmt::format("The target group '{}' is in VPC '{}', the load balancer in VPC '{}'", arn,
                      row.shape.VpcId.value_or(""), balancer.shape.VpcId.value_or("")));
    }
    for (const auto& user : users[arn]) {
      if (user == balancer_arn) continue;
      throw elbv2::TargetGroupAssociationLimitException(fmt::format(
          "The target group '{}' is used by another load balancer: a target group has at most one", arn));
    }
  }
  std::set<std::string> used(named.begin(), named.end());
  for (const auto& [arn, by] : users) {
    if (by.contains(balancer_arn)) used.insert(arn);
  }
  if (used.size() > kMostGroupsOfBalancer) {
    throw elbv2::TooManyUniqueTargetGroupsPerLoadBalancerException(
        fmt::format("A load balancer can use at most {} target groups", kMostGroupsOfBalancer));
  }
}

boost::asio::awaitable<elbv2::CreateListenerOutput> ElbApi::CreateListener(const aws::Call& call,
                                                                           elbv2::CreateListenerInput input) {
  if (!input.Protocol) invalid("A listener protocol must be specified");
  if (!input.Port) invalid("A listener port must be specified");
  const auto protocol = *input.Protocol;
  const int port = *input.Port;
  check_port(port);
  const auto actions = checked_actions(input.DefaultActions);
  check_redirect_loop(actions, port);
  if (const auto& row = balancer(call, input.LoadBalancerArn); row.shape.Type == "application") {
    check_protocol(protocol, input.Certificates);
  }
  auto trouble = co_await data_plane_.port_trouble(port);
  if (trouble) throw elbv2::InvalidConfigurationRequestException("The listener cannot listen: " + *trouble);

  bool made = false;
  auto body = [&](store::Txn& tx) {
    made = false;
    const auto owner = balancer(tx, call, input.LoadBalancerArn);
    check_groups(tx, call, owner, actions);
    ListenerRow row;
    row.shape.LoadBalancerArn = input.LoadBalancerArn;
    row.shape.Port = port;
    row.shape.Protocol = protocol;
    row.shape.DefaultActions = actions;
    const auto others = registry_.listeners_of(input.LoadBalancerArn);
    for (const auto* other : others) {
      if (other->shape.Port != port) continue;
      if (same_listener(row.shape, other->shape)) return *other;
      throw elbv2::DuplicateListenerException(fmt::format(
          "A listener already exists on port {} for this load balancer '{}'", port, input.LoadBalancerArn));
    }
    if (others.size() >= kMostListeners) {
      throw elbv2::TooManyListenersException(
          fmt::format("A load balancer can have at most {} listeners", kMostListeners));
    }
    const auto path = fmt::format("{}/{}", balancer_path(input.LoadBalancerArn), ids_.hex(16));
    row.shape.ListenerArn = new_arn(call, "listener/" + path);
    row.default_rule_arn = new_arn(call, fmt::format("listener-rule/{}/{}", path, ids_.hex(16)));
    row.attributes = default_attributes(AttributeOwner::kListener);
    tx.put(registry_.listeners, *row.shape.ListenerArn, row);
    put_tags(tx, *row.shape.ListenerArn, input.Tags);
    made = true;
    return row;
  };
  const auto row = co_await store::transact(registry_.store(), body);
  std::string failure;
  try {
    auto failed = co_await data_plane_.apply();
    if (failed.contains(port)) failure = failed[port];
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (made && !failure.empty()) {
    // Somebody took the port after we had looked: nothing of the listener stays.
    auto undo = [&](store::Txn& tx) { erase_listener(tx, *row.shape.ListenerArn); };
    co_await store::transact(registry_.store(), undo);
    co_await settle();
    throw elbv2::InvalidConfigurationRequestException("The listener cannot listen: " + failure);
  }
  elbv2::CreateListenerOutput output;
  output.Listeners.emplace().push_back(row.shape);
  co_return output;
}

boost::asio::awaitable<elbv2::ModifyListenerOutput> ElbApi::ModifyListener(const aws::Call& call,
                                                                           elbv2::ModifyListenerInput input) {
  const auto before = listener(call, input.ListenerArn);
  const int port = input.Port.value_or(*before.shape.Port);
  check_port(port);
  if (input.Protocol) check_protocol(*input.Protocol, input.Certificates);
  if (port != before.shape.Port) {
    auto trouble = co_await data_plane_.port_trouble(port);
    if (trouble) throw elbv2::InvalidConfigurationRequestException("The listener cannot listen: " + *trouble);
  }
  auto body = [&](store::Txn& tx) {
    auto row = listener(tx, call, input.ListenerArn);
    const auto owner = balancer(tx, call, *row.shape.LoadBalancerArn);
    if (input.DefaultActions) {
      row.shape.DefaultActions = checked_actions(*input.DefaultActions);
      check_redirect_loop(*row.shape.DefaultActions, port);
      check_groups(tx, call, owner, *row.shape.DefaultActions);
    }
    for (const auto* other : registry_.listeners_of(*row.shape.LoadBalancerArn)) {
      if (other->shape.Port == port && other->shape.ListenerArn != input.ListenerArn) {
        throw elbv2::DuplicateListenerException(fmt::format("A listener already exists on port {}", port));
      }
    }
    row.shape.Port = port;
    tx.put(registry_.listeners, input.ListenerArn, row);
    return row;
  };
  const auto row = co_await store::transact(registry_.store(), body);
  co_await settle();
  elbv2::ModifyListenerOutput output;
  output.Listeners.emplace().push_back(row.shape);
  co_return output;
}

void ElbApi::erase_listener(store::Txn& tx, const std::string& arn) const {
  std::vector<std::string> rules;
  for (const auto* rule : registry_.rules_of(arn)) rules.push_back(*rule->shape.RuleArn);
  for (const auto& rule : rules) {
    tx.erase(registry_.rules, rule);
    erase_tags(tx, rule);
  }
  tx.erase(registry_.listeners, arn);
  erase_tags(tx, arn);
}

boost::asio::awaitable<elbv2::DeleteListenerOutput> ElbApi::DeleteListener(const aws::Call& call,
                                                                           elbv2::DeleteListenerInput input) {
  auto body = [&](store::Txn& tx) {
    const auto row = listener(tx, call, input.ListenerArn);
    erase_listener(tx, *row.shape.ListenerArn);
  };
  co_await store::transact(registry_.store(), body);
  co_await settle();
  co_return elbv2::DeleteListenerOutput{};
}

boost::asio::awaitable<elbv2::DescribeListenersOutput> ElbApi::DescribeListeners(
    const aws::Call& call, elbv2::DescribeListenersInput input) {
  const bool by_arn = input.ListenerArns && !input.ListenerArns->empty();
  if (by_arn == input.LoadBalancerArn.has_value()) {
    invalid("You must specify either listener ARNs or a load balancer ARN");
  }
  std::vector<elbv2::Listener> shown;
  if (by_arn) {
    for (const auto& arn : *input.ListenerArns) shown.push_back(listener(call, arn).shape);
  } else {
    balancer(call, *input.LoadBalancerArn);
    for (const auto* row : registry_.listeners_of(*input.LoadBalancerArn)) shown.push_back(row->shape);
  }
  elbv2::DescribeListenersOutput output;
  cut_page(shown, input.Marker, input.PageSize, output.NextMarker);
  output.Listeners = std::move(shown);
  co_return output;
}

}  // namespace sampan::elb
