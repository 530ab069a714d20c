// The Elastic Load Balancing (v2) API: application load balancers in front of groups of addresses. Handlers
// validate, store, and wait until the data plane has followed, so that what a call says is true when it
// returns. On the control strand.
#pragma once

#include "api/elbv2.h"
#include "core/clock.h"
#include "core/random.h"
#include "elb/data_plane.h"
#include "elb/registry.h"
#include "vpc/interfaces.h"

namespace sampan::elb {

namespace elbv2 = api::elbv2;

// AWS's default quotas (AWS-SEMANTICS L03), which DescribeAccountLimits shows.
inline constexpr std::size_t kMostBalancers = 50;  // of an account in a region
inline constexpr std::size_t kMostGroups = 3000;   // of an account in a region
inline constexpr std::size_t kMostListeners = 50;  // of a load balancer
inline constexpr std::size_t kMostRules = 100;     // of a load balancer, default ones not counted
inline constexpr std::size_t kMostGroupsOfBalancer = 100;

class ElbApi final : public elbv2::Service {
 public:
  template <class T>
  using Answer = boost::asio::awaitable<T>;
  ElbApi(Registry& registry, DataPlane& data_plane, vpc::Interfaces& interfaces, core::IdSource& ids)
      : registry_(registry), data_plane_(data_plane), interfaces_(interfaces), ids_(ids) {}

  // api_balancers.cpp
  Answer<elbv2::CreateLoadBalancerOutput> CreateLoadBalancer(const aws::Call&,
                                                             elbv2::CreateLoadBalancerInput) override;
  Answer<elbv2::DeleteLoadBalancerOutput> DeleteLoadBalancer(const aws::Call&,
                                                             elbv2::DeleteLoadBalancerInput) override;
  Answer<elbv2::DescribeLoadBalancersOutput> DescribeLoadBalancers(
      const aws::Call&, elbv2::DescribeLoadBalancersInput) override;
  Answer<elbv2::SetSecurityGroupsOutput> SetSecurityGroups(const aws::Call&,
                                                           elbv2::SetSecurityGroupsInput) override;
  Answer<elbv2::SetSubnetsOutput> SetSubnets(const aws::Call&, elbv2::SetSubnetsInput) override;
  Answer<elbv2::SetIpAddressTypeOutput> SetIpAddressType(const aws::Call&,
                                                         elbv2::SetIpAddressTypeInput) override;

  // api_attributes.cpp
  Answer<elbv2::DescribeLoadBalancerAttributesOutput> DescribeLoadBalancerAttributes(
      const aws::Call&, elbv2::DescribeLoadBalancerAttributesInput) override;
  Answer<elbv2::ModifyLoadBalancerAttributesOutput> ModifyLoadBalancerAttributes(
      const aws::Call&, elbv2::ModifyLoadBalancerAttributesInput) override;
  Answer<elbv2::DescribeTargetGroupAttributesOutput> DescribeTargetGroupAttributes(
      const aws::Call&, elbv2::DescribeTargetGroupAttributesInput) override;
  Answer<elbv2::ModifyTargetGroupAttributesOutput> ModifyTargetGroupAttributes(
      const aws::Call&, elbv2::ModifyTargetGroupAttributesInput) override;
  Answer<elbv2::DescribeListenerAttributesOutput> DescribeListenerAttributes(
      const aws::Call&, elbv2::DescribeListenerAttributesInput) override;
  Answer<elbv2::ModifyListenerAttributesOutput> ModifyListenerAttributes(
      const aws::Call&, elbv2::ModifyListenerAttributesInput) override;

  // api_groups.cpp
  Answer<elbv2::CreateTargetGroupOutput> CreateTargetGroup(const aws::Call&,
                                                           elbv2::CreateTargetGroupInput) override;
  Answer<elbv2::ModifyTargetGroupOutput> ModifyTargetGroup(const aws::Call&,
                                                           elbv2::ModifyTargetGroupInput) override;
  Answer<elbv2::DeleteTargetGroupOutput> DeleteTargetGroup(const aws::Call&,
                                                           elbv2::DeleteTargetGroupInput) override;
  Answer<elbv2::DescribeTargetGroupsOutput> DescribeTargetGroups(const aws::Call&,
                                                                 elbv2::DescribeTargetGroupsInput) override;

  // api_targets.cpp
  Answer<elbv2::RegisterTargetsOutput> RegisterTargets(const aws::Call&,
                                                       elbv2::RegisterTargetsInput) override;
  Answer<elbv2::DeregisterTargetsOutput> DeregisterTargets(const aws::Call&,
                                                           elbv2::DeregisterTargetsInput) override;
  Answer<elbv2::DescribeTargetHealthOutput> DescribeTargetHealth(const aws::Call&,
                                                                 elbv2::DescribeTargetHealthInput) override;

  // api_listeners.cpp
  Answer<elbv2::CreateListenerOutput> CreateListener(const aws::Call&, elbv2::CreateListenerInput) override;
  Answer<elbv2::ModifyListenerOutput> ModifyListener(const aws::Call&, elbv2::ModifyListenerInput) override;
  Answer<elbv2::DeleteListenerOutput> DeleteListener(const aws::Call&, elbv2::DeleteListenerInput) override;
  Answer<elbv2::DescribeListenersOutput> DescribeListeners(const aws::Call&,
                                                           elbv2::DescribeListenersInput) override;

  // api_rules.cpp
  Answer<elbv2::CreateRuleOutput> CreateRule(const aws::Call&, elbv2::CreateRuleInput) override;
  Answer<elbv2::ModifyRuleOutput> ModifyRule(const aws::Call&, elbv2::ModifyRuleInput) override;
  Answer<elbv2::DeleteRuleOutput> DeleteRule(const aws::Call&, elbv2::DeleteRuleInput) override;
  Answer<elbv2::DescribeRulesOutput> DescribeRules(const aws::Call&, elbv2::DescribeRulesInput) override;
  Answer<elbv2::SetRulePrioritiesOutput> SetRulePriorities(const aws::Call&,
                                                           elbv2::SetRulePrioritiesInput) override;

  // api_tags.cpp
  Answer<elbv2::AddTagsOutput> AddTags(const aws::Call&, elbv2::AddTagsInput) override;
  Answer<elbv2::RemoveTagsOutput> RemoveTags(const aws::Call&, elbv2::RemoveTagsInput) override;
  Answer<elbv2::DescribeTagsOutput> DescribeTags(const aws::Call&, elbv2::DescribeTagsInput) override;
  Answer<elbv2::DescribeAccountLimitsOutput> DescribeAccountLimits(
      const aws::Call&, elbv2::DescribeAccountLimitsInput) override;
  Answer<elbv2::DescribeSSLPoliciesOutput> DescribeSSLPolicies(const aws::Call&,
                                                               elbv2::DescribeSSLPoliciesInput) override;
  Answer<elbv2::DescribeListenerCertificatesOutput> DescribeListenerCertificates(
      const aws::Call&, elbv2::DescribeListenerCertificatesInput) override;

 private:
  // The row, or the fault that AWS has for it. An ARN of another account or region is not found.
  BalancerRow balancer(store::Txn& tx, const aws::Call& call, const std::string& arn) const;
  ListenerRow listener(store::Txn& tx, const aws::Call& call, const std::string& arn) const;
  GroupRow group(store::Txn& tx, const aws::Call& call, const std::string& arn) const;
  RuleRow rule(store::Txn& tx, const aws::Call& call, const std::string& arn) const;
  // The same for reads.
  const BalancerRow& balancer(const aws::Call& call, const std::string& arn) const;
  const ListenerRow& listener(const aws::Call& call, const std::string& arn) const;
  const GroupRow& group(const aws::Call& call, const std::string& arn) const;

  std::string new_arn(const aws::Call& call, const std::string& resource) const;
  std::vector<elbv2::AvailabilityZone> zones(const aws::Call& call,
                                             const std::optional<std::vector<std::string>>& subnets,
                                             const std::optional<std::vector<elbv2::SubnetMapping>>& mappings,
                                             std::string& vpc_id) const;
  std::vector<std::string> checked_security_groups(const aws::Call& call,
                                                   const std::vector<std::string>& ids) const;
  // Groups of actions: there, of this load balancer's VPC and of no other load balancer, with HTTP inside.
  void check_groups(store::Txn& tx, const aws::Call& call, const BalancerRow& balancer,
                    const std::vector<elbv2::Action>& actions) const;
  void erase_listener(store::Txn& tx, const std::string& arn) const;
  void put_tags(store::Txn& tx, const std::string& arn,
                const std::optional<std::vector<elbv2::Tag>>& tags) const;
  void erase_tags(store::Txn& tx, const std::string& arn) const;
  bool exists(const std::string& arn) const;
  elbv2::LoadBalancer show(const BalancerRow& row) const;
  elbv2::TargetGroup show(const GroupRow& row, const std::set<std::string>& balancers) const;
  elbv2::Rule show_default_rule(const ListenerRow& row) const;
  // Waits for the data plane; what it cannot do now it does later, and the log has why.
  boost::asio::awaitable<void> settle();

  Registry& registry_;
  DataPlane& data_plane_;
  vpc::Interfaces& interfaces_;
  core::IdSource& ids_;
};

[[noreturn]] void invalid(const std::string& message);  // ValidationError

// One page by Marker and PageSize (1 to 400) of items in a stable order.
std::pair<std::size_t, std::size_t> page_of(std::size_t count, const std::optional<std::string>& marker,
                                            const std::optional<int>& size, std::optional<std::string>& next);
template <class T>
void cut_page(std::vector<T>& items, const std::optional<std::string>& marker, const std::optional<int>& size,
              std::optional<std::string>& next) {
  const auto [begin, end] = page_of(items.size(), marker, size, next);
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(end), items.end());
  items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(begin));
}

}  // namespace sampan::elb
