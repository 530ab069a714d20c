// The ECR API: pull-through cache rules.
#include <fmt/core.h>

#include "aws/paging.h"
#include "ecr/ecr_api.h"
#include "ecr/pull_through.h"
#include "ecr/template_rules.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

// The answers of the operations are of one form: each takes what it has members for.
template <class Output>
Output render_rule(const PullThroughRule& rule) {
  Output out;
  out.ecrRepositoryPrefix = rule.ecrRepositoryPrefix;
  out.registryId = rule.registryId;
  out.credentialArn = rule.credentialArn;
  out.customRoleArn = rule.customRoleArn;
  out.upstreamRepositoryPrefix = rule.upstreamRepositoryPrefix;
  if constexpr (requires { out.upstreamRegistryUrl; }) out.upstreamRegistryUrl = rule.upstreamRegistryUrl;
  if constexpr (requires { out.upstreamRegistry; }) out.upstreamRegistry = rule.upstreamRegistry;
  if constexpr (requires { out.createdAt; }) out.createdAt = rule.createdAt;
  if constexpr (requires { out.updatedAt; }) out.updatedAt = rule.updatedAt;
  return out;
}

template <class Input>
std::string account_of(const aws::Call& call, const Input& in) {
  return in.registryId.value_or(call.account);
}

api::PullThroughCacheRuleNotFoundException no_rule(const std::string& account, const std::string& prefix) {
  return api::PullThroughCacheRuleNotFoundException(fmt::format(
      "The pull through cache rule with repository prefix '{}' does not exist in the registry with id '{}'",
      prefix, account));
}

}  // namespace

EcrApi::Answer<api::CreatePullThroughCacheRuleOutput> EcrApi::CreatePullThroughCacheRule(
    const aws::Call& call, api::CreatePullThroughCacheRuleInput in) {
  PullThroughRule rule;
  rule.ecrRepositoryPrefix = in.ecrRepositoryPrefix;
  rule.upstreamRegistryUrl = in.upstreamRegistryUrl;
  rule.upstreamRegistry = in.upstreamRegistry;
  rule.credentialArn = in.credentialArn;
  rule.customRoleArn = in.customRoleArn;
  rule.upstreamRepositoryPrefix = in.upstreamRepositoryPrefix;
  const auto made = co_await parts_.cache_rules.create(account_of(call, in), call.region, std::move(rule));
  co_return render_rule<api::CreatePullThroughCacheRuleOutput>(made);
}

EcrApi::Answer<api::DescribePullThroughCacheRulesOutput> EcrApi::DescribePullThroughCacheRules(
    const aws::Call& call, api::DescribePullThroughCacheRulesInput in) {
  const auto account = account_of(call, in);
  api::DescribePullThroughCacheRulesOutput out;
  auto& found = out.pullThroughCacheRules.emplace();
  if (in.ecrRepositoryPrefixes) {
    if (in.nextToken || in.maxResults) {
      throw api::InvalidParameterException(
          "maxResults and nextToken cannot be used with ecrRepositoryPrefixes");
    }
    for (const auto& prefix : *in.ecrRepositoryPrefixes) {
      const auto* rule = parts_.cache_rules.find(account, call.region, prefix);
      if (!rule) throw no_rule(account, prefix);
      found.push_back(*rule);
    }
    co_return out;
  }
  const auto registry = account + '/' + call.region + '/';
  auto page = aws::Page::of(in.maxResults, in.nextToken, {.most = 1000, .by_default = 100},
                            "DescribePullThroughCacheRules:" + registry);
  if (!page) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
  }
  const auto& rules = parts_.cache_rules.rules();
  for (auto row = rules.lower_bound(registry + page->after());
       row != rules.end() && row->first.starts_with(registry); ++row) {
    const auto prefix = row->first.substr(registry.size());
    if (prefix <= page->after()) continue;
    if (!page->take(prefix)) break;
    found.push_back(row->second.value);
  }
  out.nextToken = page->next_token();
  co_return out;
}

EcrApi::Answer<api::UpdatePullThroughCacheRuleOutput> EcrApi::UpdatePullThroughCacheRule(
    const aws::Call& call, api::UpdatePullThroughCacheRuleInput in) {
  const auto account = account_of(call, in);
  const auto rule = co_await parts_.cache_rules.update(account, call.region, std::move(in));
  co_return render_rule<api::UpdatePullThroughCacheRuleOutput>(rule);
}

EcrApi::Answer<api::DeletePullThroughCacheRuleOutput> EcrApi::DeletePullThroughCacheRule(
    const aws::Call& call, api::DeletePullThroughCacheRuleInput in) {
  const auto rule =
      co_await parts_.cache_rules.remove(account_of(call, in), call.region, in.ecrRepositoryPrefix);
  co_return render_rule<api::DeletePullThroughCacheRuleOutput>(rule);
}

EcrApi::Answer<api::ValidatePullThroughCacheRuleOutput> EcrApi::ValidatePullThroughCacheRule(
    const aws::Call& call, api::ValidatePullThroughCacheRuleInput in) {
  const auto account = account_of(call, in);
  const auto* found = parts_.cache_rules.find(account, call.region, in.ecrRepositoryPrefix);
  if (!found) throw no_rule(account, in.ecrRepositoryPrefix);
  const auto rule = *found;
  auto out = render_rule<api::ValidatePullThroughCacheRuleOutput>(rule);
  out.failure = co_await parts_.pull_through.validate(account, call.region, rule);
  out.isValid = !out.failure;
  co_return out;
}

bool EcrApi::is_cached(const RepositoryId& repository) const {
  return parts_.pull_through.has_rule_for(repository);
}

// Asked of the cache before an image is looked up; what went wrong upstream, as a failure of that image.
boost::asio::awaitable<std::optional<api::ImageFailure>> EcrApi::pull_through(
    RepositoryId repository, api::ImageIdentifier wanted, std::optional<api::Image>& image) {
  const auto reference = wanted.imageDigest ? *wanted.imageDigest : *wanted.imageTag;
  const bool here = repositories_.find(repository) != nullptr;
  std::optional<api::ImageFailure> failed;
  try {
    const auto answer =
        co_await parts_.pull_through.manifest(repository, reference, PullThrough::Part::kWhole);
    if (answer && !(wanted.imageDigest && wanted.imageTag)) {
      auto& found = image.emplace();
      found.registryId = repository.account;
      found.repositoryName = repository.name;
      found.imageId.emplace().imageDigest = answer->digest.str();
      found.imageId->imageTag = wanted.imageTag;
      found.imageManifest = *answer->bytes;
      found.imageManifestMediaType = answer->media_type;
    }
  } catch (const UpstreamError& error) {
    using Why = UpstreamError::Why;
    if (!here && error.why() == Why::kAbsent) throw api::RepositoryNotFoundException(error.what());
    if (!here) throw api::UnableToGetUpstreamImageException(error.what());
    failed.emplace().imageId = wanted;
    failed->failureReason = error.what();
    failed->failureCode = error.why() == Why::kAbsent            ? "ImageNotFound"
                          : error.why() == Why::kDenied          ? "UpstreamAccessDenied"
                          : error.why() == Why::kTooManyRequests ? "UpstreamTooManyRequests"
                                                                 : "UpstreamUnavailable";
  }
  co_return failed;
}

}  // namespace sampan::ecr
