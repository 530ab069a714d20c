// The ECR API: repository creation templates.
#include "aws/paging.h"
#include "ecr/ecr_api.h"
#include "ecr/repository_templates.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;

EcrApi::Answer<api::CreateRepositoryCreationTemplateOutput> EcrApi::CreateRepositoryCreationTemplate(
    const aws::Call& call, api::CreateRepositoryCreationTemplateInput in) {
  Template given;
  given.prefix = std::move(in.prefix);
  given.description = std::move(in.description);
  given.encryptionConfiguration = std::move(in.encryptionConfiguration);
  if (!given.encryptionConfiguration) given.encryptionConfiguration.emplace().encryptionType = "AES256";
  given.resourceTags = std::move(in.resourceTags);
  given.imageTagMutability = in.imageTagMutability.value_or("MUTABLE");
  given.imageTagMutabilityExclusionFilters = std::move(in.imageTagMutabilityExclusionFilters);
  if (in.repositoryPolicy && !in.repositoryPolicy->empty()) given.repositoryPolicy = in.repositoryPolicy;
  if (in.lifecyclePolicy && !in.lifecyclePolicy->empty()) given.lifecyclePolicy = in.lifecyclePolicy;
  given.appliedFor = std::move(in.appliedFor);
  given.customRoleArn = std::move(in.customRoleArn);
  api::CreateRepositoryCreationTemplateOutput out;
  out.registryId = call.account;
  out.repositoryCreationTemplate =
      co_await parts_.templates.create(call.account, call.region, std::move(given));
  co_return out;
}

EcrApi::Answer<api::DescribeRepositoryCreationTemplatesOutput> EcrApi::DescribeRepositoryCreationTemplates(
    const aws::Call& call, api::DescribeRepositoryCreationTemplatesInput in) {
  api::DescribeRepositoryCreationTemplatesOutput out;
  out.registryId = call.account;
  auto& found = out.repositoryCreationTemplates.emplace();
  if (in.prefixes && !in.prefixes->empty()) {
    if (in.maxResults || in.nextToken) {
      throw api::InvalidParameterException("maxResults and nextToken cannot be used with prefixes");
    }
    for (const auto& prefix : *in.prefixes) {
      if (const auto* made = parts_.templates.find(call.account, call.region, prefix)) found.push_back(*made);
    }
    co_return out;
  }
  const auto registry = call.account + '/' + call.region + '/';
  auto page = aws::Page::of(in.maxResults, in.nextToken, {.most = 1000, .by_default = 100},
                            "DescribeRepositoryCreationTemplates:" + registry);
  if (!page) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
  }
  const auto& table = parts_.templates.templates();
  for (auto row = table.lower_bound(registry + page->after());
       row != table.end() && row->first.starts_with(registry); ++row) {
    const auto prefix = row->first.substr(registry.size());
    if (!page->after().empty() && prefix <= page->after()) continue;
    if (!page->take(prefix)) break;
    found.push_back(row->second.value);
  }
  out.nextToken = page->next_token();
  co_return out;
}

EcrApi::Answer<api::UpdateRepositoryCreationTemplateOutput> EcrApi::UpdateRepositoryCreationTemplate(
    const aws::Call& call, api::UpdateRepositoryCreationTemplateInput in) {
  api::UpdateRepositoryCreationTemplateOutput out;
  out.registryId = call.account;
  out.repositoryCreationTemplate = co_await parts_.templates.update(call.account, call.region, std::move(in));
  co_return out;
}

EcrApi::Answer<api::DeleteRepositoryCreationTemplateOutput> EcrApi::DeleteRepositoryCreationTemplate(
    const aws::Call& call, api::DeleteRepositoryCreationTemplateInput in) {
  api::DeleteRepositoryCreationTemplateOutput out;
  out.registryId = call.account;
  out.repositoryCreationTemplate =
      co_await parts_.templates.remove(call.account, call.region, std::move(in.prefix));
  co_return out;
}

}  // namespace sampan::ecr
