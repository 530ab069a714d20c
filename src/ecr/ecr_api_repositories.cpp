// The ECR API: repositories and their tags.
#include <fmt/core.h>

#include "aws/arn.h"
#include "aws/paging.h"
#include "aws/tags.h"
#include "core/encoding.h"
#include "ecr/ecr_api.h"
#include "ecr/faults.h"
#include "ecr/tag_rules.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

std::vector<std::string> filters_of(
    const std::optional<std::vector<api::ImageTagMutabilityExclusionFilter>>& given) {
  std::vector<std::string> filters;
  for (const auto& filter : given.value_or(std::vector<api::ImageTagMutabilityExclusionFilter>())) {
    filters.push_back(filter.filter);
  }
  return filters;
}

std::vector<api::ImageTagMutabilityExclusionFilter> render_filters(const std::vector<std::string>& filters) {
  std::vector<api::ImageTagMutabilityExclusionFilter> rendered;
  for (const auto& filter : filters) {
    auto& one = rendered.emplace_back();
    one.filterType = "WILDCARD";
    one.filter = filter;
  }
  return rendered;
}

void set_mutability(RepositoryRow& row, const std::string& mutability, std::vector<std::string> filters) {
  if (const auto problem = check_mutability(mutability, filters))
    throw api::InvalidParameterException(*problem);
  row.mutability = mutability;
  row.exclusion_filters = std::move(filters);
}

void check_tags(const std::vector<api::Tag>& tags, const aws::Tags& had) {
  const auto finding = aws::check_tags(aws::tag_pairs(tags), had);
  if (!finding) return;
  if (finding->problem == aws::TagProblem::kTooMany) throw api::TooManyTagsException(finding->message);
  throw api::InvalidTagParameterException(finding->message);
}

RepositoryId require_arn(const std::string& arn) {
  if (auto id = parse_repository_arn(arn)) return *id;
  throw api::InvalidParameterException(
      "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'");
}

// The key that encrypts where none is named ("the default AWS managed key for ECR"): one a registry, always
// the same.
std::string managed_key(const RepositoryId& id) {
  auto hex = core::sha256_hex("aws/ecr " + id.account + ' ' + id.region).substr(0, 32);
  hex[12] = '4';  // a random UUID's version
  hex[16] = 'a';  // and variant
  return aws::make_arn("kms", id.region, id.account,
                       fmt::format("key/{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                                   hex.substr(12, 4), hex.substr(16, 4), hex.substr(20)));
}

}  // namespace

EcrApi::EcrApi(Parts parts) : parts_(std::move(parts)) {}

api::Repository EcrApi::render(const RepositoryId& id, const RepositoryRow& row) const {
  api::Repository repository;
  repository.repositoryArn = id.arn();
  repository.registryId = id.account;
  repository.repositoryName = id.name;
  repository.repositoryUri = host_ + '/' + id.name;
  repository.createdAt = row.created_at;
  repository.imageTagMutability = row.mutability;
  if (!row.exclusion_filters.empty()) {
    repository.imageTagMutabilityExclusionFilters = render_filters(row.exclusion_filters);
  }
  repository.imageScanningConfiguration.emplace().scanOnPush = row.scan_on_push;
  auto& encryption = repository.encryptionConfiguration.emplace();
  encryption.encryptionType = row.encryption_type;
  if (row.encryption_type != "AES256")
    encryption.kmsKey = row.kms_key.empty() ? managed_key(id) : row.kms_key;
  return repository;
}

const RepositoryRow& EcrApi::require(const RepositoryId& id) const {
  if (const auto* row = repositories_.find(id)) return *row;
  throw api::RepositoryNotFoundException(no_repository_text(id));
}

EcrApi::Answer<api::CreateRepositoryOutput> EcrApi::CreateRepository(const aws::Call& call,
                                                                     api::CreateRepositoryInput in) {
  const auto id = repository_of(call, in);
  if (!valid_repository_name(id.name)) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular "
        "expression "
        "'(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''");
  }
  RepositoryRow row;
  row.created_at = call.now;
  set_mutability(row, in.imageTagMutability.value_or("MUTABLE"),
                 filters_of(in.imageTagMutabilityExclusionFilters));
  if (in.imageScanningConfiguration)
    row.scan_on_push = in.imageScanningConfiguration->scanOnPush.value_or(false);
  if (in.encryptionConfiguration) {
    row.encryption_type = in.encryptionConfiguration->encryptionType;
    row.kms_key = in.encryptionConfiguration->kmsKey.value_or("");
    if (!row.kms_key.empty() && row.encryption_type == "AES256") {
      throw api::InvalidParameterException(
          "Invalid parameter at 'encryptionConfiguration' failed to satisfy constraint: 'kmsKey can only be "
          "specified when encryptionType is KMS or KMS_DSSE'");
    }
  }
  if (in.tags) {
    check_tags(*in.tags, {});
    aws::merge_tags(row.tags, aws::tag_pairs(*in.tags));
  }
  try {
    co_await repositories_.create(id, row);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  api::CreateRepositoryOutput out;
  out.repository = render(id, require(id));
  co_return out;
}

EcrApi::Answer<api::DescribeRepositoriesOutput> EcrApi::DescribeRepositories(
    const aws::Call& call, api::DescribeRepositoriesInput in) {
  const auto account = in.registryId.value_or(call.account);
  api::DescribeRepositoriesOutput out;
  auto& found = out.repositories.emplace();
  if (in.repositoryNames && !in.repositoryNames->empty()) {
    if (in.maxResults || in.nextToken) {
      throw api::InvalidParameterException("maxResults and nextToken cannot be used with repositoryNames");
    }
    for (const auto& name : *in.repositoryNames) {
      const RepositoryId id{account, call.region, name};
      found.push_back(render(id, require(id)));
    }
    co_return out;
  }
  const auto prefix = account + '/' + call.region + '/';
  auto page = aws::Page::of(in.maxResults, in.nextToken, {.most = 1000, .by_default = 100},
                            "DescribeRepositories:" + prefix);
  if (!page)
    throw api::InvalidParameterException(
        "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
  const auto& table = repositories_.repositories();
  for (auto row = table.lower_bound(prefix + page->after());
       row != table.end() && row->first.starts_with(prefix); ++row) {
    const auto name = row->first.substr(prefix.size());
    if (!page->after().empty() && name <= page->after()) continue;
    if (!page->take(name)) break;
    found.push_back(render({account, call.region, name}, row->second.value));
  }
  out.nextToken = page->next_token();
  co_return out;
}

EcrApi::Answer<api::DeleteRepositoryOutput> EcrApi::DeleteRepository(const aws::Call& call,
                                                                     api::DeleteRepositoryInput in) {
  const auto id = repository_of(call, in);
  api::DeleteRepositoryOutput out;
  try {
    const auto row = co_await repositories_.remove(id, in.force.value_or(false));
    out.repository = render(id, row);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  co_return out;
}

EcrApi::Answer<api::PutImageTagMutabilityOutput> EcrApi::PutImageTagMutability(
    const aws::Call& call, api::PutImageTagMutabilityInput in) {
  const auto id = repository_of(call, in);
  require(id);
  RepositoryRow wanted;
  set_mutability(wanted, in.imageTagMutability, filters_of(in.imageTagMutabilityExclusionFilters));
  const auto change = [&wanted](RepositoryRow& row) {
    row.mutability = wanted.mutability;
    row.exclusion_filters = wanted.exclusion_filters;
  };
  try {
    co_await repositories_.update(id, change);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  api::PutImageTagMutabilityOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.imageTagMutability = wanted.mutability;
  if (!wanted.exclusion_filters.empty()) {
    out.imageTagMutabilityExclusionFilters = render_filters(wanted.exclusion_filters);
  }
  co_return out;
}

EcrApi::Answer<api::TagResourceOutput> EcrApi::TagResource(const aws::Call&, api::TagResourceInput in) {
  const auto id = require_arn(in.resourceArn);
  check_tags(in.tags, require(id).tags);
  const auto given = aws::tag_pairs(in.tags);
  try {
    co_await repositories_.update(id, [&given](RepositoryRow& row) { aws::merge_tags(row.tags, given); });
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  co_return api::TagResourceOutput();
}

EcrApi::Answer<api::UntagResourceOutput> EcrApi::UntagResource(const aws::Call&, api::UntagResourceInput in) {
  const auto id = require_arn(in.resourceArn);
  require(id);
  try {
    co_await repositories_.update(id, [&in](RepositoryRow& row) { aws::remove_tags(row.tags, in.tagKeys); });
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  co_return api::UntagResourceOutput();
}

EcrApi::Answer<api::ListTagsForResourceOutput> EcrApi::ListTagsForResource(const aws::Call&,
                                                                           api::ListTagsForResourceInput in) {
  api::ListTagsForResourceOutput out;
  out.tags = aws::to_tag_list<api::Tag>(require(require_arn(in.resourceArn)).tags);
  co_return out;
}

EcrApi::Answer<api::GetAuthorizationTokenOutput> EcrApi::GetAuthorizationToken(
    const aws::Call& call, api::GetAuthorizationTokenInput in) {
  api::GetAuthorizationTokenOutput out;
  auto& given = out.authorizationData.emplace();
  auto registries = in.registryIds.value_or(std::vector<std::string>());
  if (registries.empty()) registries.push_back(call.account);
  for (const auto& registry : registries) {
    // A token speaks for its caller, whichever registries it is for.
    TokenClaims claims{call.account, call.region, call.access_key, {}, call.now + kTokenLife};
    const auto password = co_await tokens_.sign(claims);
    auto& data = given.emplace_back();
    data.authorizationToken = core::to_base64("AWS:" + password);
    data.expiresAt = claims.expires;
    data.proxyEndpoint = parts_.scheme + "://" + host_;
    (void)registry;
  }
  co_return out;
}

}  // namespace sampan::ecr
