// Attributes of load balancers, listeners and target groups.
#include "elb/elb_api.h"

namespace sampan::elb {
namespace {

constexpr std::size_t kMostAtOnce = 20;

template <class T>
std::vector<T> show_all(const Attributes& attributes) {
  std::vector<T> shown;
  for (const auto& [key, value] : attributes) {
    auto& attribute = shown.emplace_back();
    attribute.Key = key;
    attribute.Value = value;
  }
  return shown;
}

template <class T>
Attributes changed(AttributeOwner owner, Attributes attributes, const std::vector<T>& changes) {
  if (changes.empty()) invalid("At least one attribute must be specified");
  if (changes.size() > kMostAtOnce) invalid("At most 20 attributes can be changed at once");
  for (const auto& change : changes) {
    check_attribute(owner, change.Key.value_or(""), change.Value.value_or(""));
    attributes[*change.Key] = change.Value.value_or("");
  }
  return attributes;
}

}  // namespace

boost::asio::awaitable<elbv2::DescribeLoadBalancerAttributesOutput> ElbApi::DescribeLoadBalancerAttributes(
    const aws::Call& call, elbv2::DescribeLoadBalancerAttributesInput input) {
  elbv2::DescribeLoadBalancerAttributesOutput output;
  output.Attributes =
      show_all<elbv2::LoadBalancerAttribute>(balancer(call, input.LoadBalancerArn).attributes);
  co_return output;
}

boost::asio::awaitable<elbv2::ModifyLoadBalancerAttributesOutput> ElbApi::ModifyLoadBalancerAttributes(
    const aws::Call& call, elbv2::ModifyLoadBalancerAttributesInput input) {
  auto body = [&](store::Txn& tx) {
    auto row = balancer(tx, call, input.LoadBalancerArn);
    row.attributes = changed(AttributeOwner::kBalancer, std::move(row.attributes), input.Attributes);
    tx.put(registry_.balancers, input.LoadBalancerArn, row);
    return row.attributes;
  };
  const auto now = co_await store::transact(registry_.store(), body);
  co_await settle();
  elbv2::ModifyLoadBalancerAttributesOutput output;
  output.Attributes = show_all<elbv2::LoadBalancerAttribute>(now);
  co_return output;
}

boost::asio::awaitable<elbv2::DescribeTargetGroupAttributesOutput> ElbApi::DescribeTargetGroupAttributes(
    const aws::Call& call, elbv2::DescribeTargetGroupAttributesInput input) {
  elbv2::DescribeTargetGroupAttributesOutput output;
  output.Attributes = show_all<elbv2::TargetGroupAttribute>(group(call, input.TargetGroupArn).attributes);
  co_return output;
}

boost::asio::awaitable<elbv2::ModifyTargetGroupAttributesOutput> ElbApi::ModifyTargetGroupAttributes(
    const aws::Call& call, elbv2::ModifyTargetGroupAttributesInput input) {
  auto body = [&](store::Txn& tx) {
    auto row = group(tx, call, input.TargetGroupArn);
    row.attributes = changed(AttributeOwner::kGroup, std::move(row.attributes), input.Attributes);
    check_group_attributes(row.attributes);
    tx.put(registry_.groups, input.TargetGroupArn, row);
    return row.attributes;
  };
  const auto now = co_await store::transact(registry_.store(), body);
  co_await settle();
  elbv2::ModifyTargetGroupAttributesOutput output;
  output.Attributes = show_all<elbv2::TargetGroupAttribute>(now);
  co_return output;
}

boost::asio::awaitable<elbv2::DescribeListenerAttributesOutput> ElbApi::DescribeListenerAttributes(
    const aws::Call& call, elbv2::DescribeListenerAttributesInput input) {
  elbv2::DescribeListenerAttributesOutput output;
  output.Attributes = show_all<elbv2::ListenerAttribute>(listener(call, input.ListenerArn).attributes);
  co_return output;
}

boost::asio::awaitable<elbv2::ModifyListenerAttributesOutput> ElbApi::ModifyListenerAttributes(
    const aws::Call& call, elbv2::ModifyListenerAttributesInput input) {
  auto body = [&](store::Txn& tx) {
    auto row = listener(tx, call, input.ListenerArn);
    row.attributes = changed(AttributeOwner::kListener, std::move(row.attributes), input.Attributes);
    tx.put(registry_.listeners, input.ListenerArn, row);
    return row.attributes;
  };
  elbv2::ModifyListenerAttributesOutput output;
  const auto now = co_await store::transact(registry_.store(), body);
  output.Attributes = show_all<elbv2::ListenerAttribute>(now);
  co_return output;
}

}  // namespace sampan::elb
