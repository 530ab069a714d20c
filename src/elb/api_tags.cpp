// Tags, quotas, and what there is to say about TLS while there are no certificates.
#include <fmt/core.h>

#include <algorithm>

#include "elb/elb_api.h"
#include "elb/names.h"

namespace sampan::elb {
namespace {

void check(const std::vector<elbv2::Tag>& tags, const aws::Tags& had) {
  const auto finding = aws::check_tags(aws::tag_pairs(tags), had);
  if (!finding) return;
  if (finding->problem == aws::TagProblem::kDuplicateKey)
    throw elbv2::DuplicateTagKeysException(finding->message);
  if (finding->problem == aws::TagProblem::kTooMany) throw elbv2::TooManyTagsException(finding->message);
  invalid(finding->message);
}

// "One or more load balancers not found", by what the ARN says it is.
[[noreturn]] void throw_not_found(const std::string& arn) {
  if (arn.find(":targetgroup/") != std::string::npos) {
    throw elbv2::TargetGroupNotFoundException("One or more target groups not found");
  }
  if (arn.find(":listener-rule/") != std::string::npos) {
    throw elbv2::RuleNotFoundException("One or more rules not found");
  }
  if (arn.find(":listener/") != std::string::npos) {
    throw elbv2::ListenerNotFoundException("One or more listeners not found");
  }
  if (arn.find(":loadbalancer/") != std::string::npos) {
    throw elbv2::LoadBalancerNotFoundException("One or more load balancers not found");
  }
  invalid(fmt::format("'{}' is not a valid load balancer, target group, listener or rule ARN", arn));
}

}  // namespace

bool ElbApi::exists(const std::string& arn) const {
  if (registry_.balancers.find(arn) || registry_.groups.find(arn) || registry_.listeners.find(arn) ||
      registry_.rules.find(arn)) {
    return true;
  }
  const auto* owner = registry_.listeners.find(listener_of_rule(arn));
  return owner && owner->default_rule_arn == arn;
}

void ElbApi::put_tags(store::Txn& tx, const std::string& arn,
                      const std::optional<std::vector<elbv2::Tag>>& tags) const {
  if (!tags || tags->empty()) return;
  check(*tags, {});
  TagsRow row;
  aws::merge_tags(row.tags, aws::tag_pairs(*tags));
  tx.put(registry_.tags, arn, row);
}

void ElbApi::erase_tags(store::Txn& tx, const std::string& arn) const {
  if (tx.get(registry_.tags, arn)) tx.erase(registry_.tags, arn);
}

boost::asio::awaitable<elbv2::AddTagsOutput> ElbApi::AddTags(const aws::Call& call,
                                                             elbv2::AddTagsInput input) {
  auto body = [&](store::Txn& tx) {
    for (const auto& arn : input.ResourceArns) {
      if (!arn.starts_with(arn_prefix(call.account, call.region)) || !exists(arn)) throw_not_found(arn);
      auto row = tx.get(registry_.tags, arn).value_or(TagsRow{});
      check(input.Tags, row.tags);
      aws::merge_tags(row.tags, aws::tag_pairs(input.Tags));
      tx.put(registry_.tags, arn, row);
    }
  };
  co_await store::transact(registry_.store(), body);
  co_return elbv2::AddTagsOutput{};
}

boost::asio::awaitable<elbv2::RemoveTagsOutput> ElbApi::RemoveTags(const aws::Call& call,
                                                                   elbv2::RemoveTagsInput input) {
  auto body = [&](store::Txn& tx) {
    for (const auto& arn : input.ResourceArns) {
      if (!arn.starts_with(arn_prefix(call.account, call.region)) || !exists(arn)) throw_not_found(arn);
      auto row = tx.get(registry_.tags, arn);
      if (!row) continue;
      aws::remove_tags(row->tags, input.TagKeys);
      tx.put(registry_.tags, arn, *row);
    }
  };
  co_await store::transact(registry_.store(), body);
  co_return elbv2::RemoveTagsOutput{};
}

boost::asio::awaitable<elbv2::DescribeTagsOutput> ElbApi::DescribeTags(const aws::Call& call,
                                                                       elbv2::DescribeTagsInput input) {
  if (input.ResourceArns.size() > 20) invalid("At most 20 resources can be named");
  elbv2::DescribeTagsOutput output;
  output.TagDescriptions.emplace();
  for (const auto& arn : input.ResourceArns) {
    if (!arn.starts_with(arn_prefix(call.account, call.region)) || !exists(arn)) throw_not_found(arn);
    const auto* row = registry_.tags.find(arn);
    auto& shown = output.TagDescriptions->emplace_back();
    shown.ResourceArn = arn;
    shown.Tags = row ? aws::to_tag_list<elbv2::Tag>(row->tags) : std::vector<elbv2::Tag>{};
  }
  co_return output;
}

boost::asio::awaitable<elbv2::DescribeAccountLimitsOutput> ElbApi::DescribeAccountLimits(
    const aws::Call&, elbv2::DescribeAccountLimitsInput input) {
  const std::pair<std::string_view, std::size_t> limits[] = {
      {"application-load-balancers", kMostBalancers},
      {"condition-values-per-alb-rule", 5},
      {"condition-wildcards-per-alb-rule", 5},
      {"listeners-per-application-load-balancer", kMostListeners},
      {"rules-per-application-load-balancer", kMostRules},
      {"target-groups", kMostGroups},
      {"target-groups-per-action-on-application-load-balancer", 5},
      {"target-groups-per-application-load-balancer", kMostGroupsOfBalancer},
      {"targets-per-application-load-balancer", 1000},
  };
  std::vector<elbv2::Limit> shown;
  for (const auto& [name, most] : limits) {
    auto& limit = shown.emplace_back();
    limit.Name = std::string(name);
    limit.Max = std::to_string(most);
  }
  elbv2::DescribeAccountLimitsOutput output;
  cut_page(shown, input.Marker, input.PageSize, output.NextMarker);
  output.Limits = std::move(shown);
  co_return output;
}

boost::asio::awaitable<elbv2::DescribeSSLPoliciesOutput> ElbApi::DescribeSSLPolicies(
    const aws::Call&, elbv2::DescribeSSLPoliciesInput input) {
  struct Policy {
    std::string_view name;
    std::vector<std::string> protocols;
  };
  const Policy policies[] = {
      {"ELBSecurityPolicy-2016-08", {"TLSv1", "TLSv1.1", "TLSv1.2"}},
      {"ELBSecurityPolicy-TLS13-1-2-2021-06", {"TLSv1.2", "TLSv1.3"}},
      {"ELBSecurityPolicy-TLS13-1-3-2021-06", {"TLSv1.3"}},
      {"ELBSecurityPolicy-FS-1-2-Res-2020-10", {"TLSv1.2"}},
  };
  std::vector<elbv2::SslPolicy> shown;
  std::set<std::string> names;
  for (const auto& policy : policies) {
    const std::string name(policy.name);
    if (input.Names && std::find(input.Names->begin(), input.Names->end(), name) == input.Names->end())
      continue;
    names.insert(name);
    auto& one = shown.emplace_back();
    one.Name = name;
    one.SslProtocols = policy.protocols;
    one.SupportedLoadBalancerTypes = {"application"};
  }
  for (const auto& name : input.Names.value_or(std::vector<std::string>{})) {
    if (!names.contains(name)) {
      throw elbv2::SSLPolicyNotFoundException(fmt::format("SSL policy '{}' not found", name));
    }
  }
  elbv2::DescribeSSLPoliciesOutput output;
  cut_page(shown, input.Marker, input.PageSize, output.NextMarker);
  output.SslPolicies = std::move(shown);
  co_return output;
}

boost::asio::awaitable<elbv2::DescribeListenerCertificatesOutput> ElbApi::DescribeListenerCertificates(
    const aws::Call& call, elbv2::DescribeListenerCertificatesInput input) {
  listener(call, input.ListenerArn);
  elbv2::DescribeListenerCertificatesOutput output;
  output.Certificates.emplace();
  co_return output;
}

}  // namespace sampan::elb
