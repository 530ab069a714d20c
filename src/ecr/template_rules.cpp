#include "ecr/template_rules.h"

#include <fmt/core.h>

#include <algorithm>

#include "aws/arn.h"
#include "aws/tags.h"
#include "ecr/tag_rules.h"

namespace sampan::ecr {
namespace {

std::vector<std::string> filters_of(const Template& made) {
  std::vector<std::string> filters;
  if (!made.imageTagMutabilityExclusionFilters) return filters;
  for (const auto& filter : *made.imageTagMutabilityExclusionFilters) filters.push_back(filter.filter);
  return filters;
}

std::string bad(std::string_view member, std::string_view why) {
  return fmt::format("Invalid parameter at '{}' failed to satisfy constraint: '{}'", member, why);
}

// ECR takes a role of the registry's own account only.
bool is_role_of(const std::string& text, std::string_view account) {
  const auto arn = aws::Arn::parse(text);
  return arn && arn->service == "iam" && arn->account == account && arn->resource.starts_with("role/");
}

template <class T>
void replace(std::optional<T>& had, const std::optional<T>& given) {
  if (given) had = given;
}

void replace_text(std::optional<std::string>& had, const std::optional<std::string>& given) {
  if (given) had = given->empty() ? std::nullopt : given;
}

bool has_exclusions(const std::string& mutability) {
  return mutability.ends_with("_WITH_EXCLUSION");
}

}  // namespace

std::string_view to_text(Cause cause) {
  switch (cause) {
    case Cause::kReplication:
      return "REPLICATION";
    case Cause::kPullThroughCache:
      return "PULL_THROUGH_CACHE";
    default:
      return "CREATE_ON_PUSH";
  }
}

std::string normal_prefix(std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  return std::string(prefix);
}

std::vector<std::string> template_prefixes(std::string_view name) {
  std::vector<std::string> prefixes;
  for (auto slash = name.rfind('/'); slash != std::string_view::npos; slash = name.rfind('/')) {
    name = name.substr(0, slash);
    prefixes.emplace_back(name);
  }
  prefixes.emplace_back(kRootPrefix);
  return prefixes;
}

bool applies(const Template& made, Cause cause) {
  if (!made.appliedFor) return false;
  const auto wanted = to_text(cause);
  return std::find(made.appliedFor->begin(), made.appliedFor->end(), wanted) != made.appliedFor->end();
}

std::optional<std::string> check_template(const Template& given, std::string_view account) {
  if (!given.appliedFor || given.appliedFor->empty()) {
    return bad("appliedFor", "Member must have length greater than or equal to 1");
  }
  const auto& key = given.encryptionConfiguration ? given.encryptionConfiguration->kmsKey : std::nullopt;
  if (key && !key->empty() && given.encryptionConfiguration->encryptionType == "AES256") {
    return bad("encryptionConfiguration",
               "kmsKey can only be specified when encryptionType is KMS or KMS_DSSE");
  }
  if (given.customRoleArn && !given.customRoleArn->empty() && !is_role_of(*given.customRoleArn, account)) {
    return bad("customRoleArn", "must be the ARN of a role in the registry's account");
  }
  return check_mutability(given.imageTagMutability.value_or("MUTABLE"), filters_of(given));
}

Template update_template(Template had, const api::ecr::UpdateRepositoryCreationTemplateRequest& change) {
  replace_text(had.description, change.description);
  replace(had.encryptionConfiguration, change.encryptionConfiguration);
  replace(had.resourceTags, change.resourceTags);
  replace(had.imageTagMutability, change.imageTagMutability);
  replace(had.imageTagMutabilityExclusionFilters, change.imageTagMutabilityExclusionFilters);
  // A mutability that has no filters takes those of the one before with it.
  const bool keeps = has_exclusions(had.imageTagMutability.value_or("MUTABLE"));
  if (!keeps && !change.imageTagMutabilityExclusionFilters) had.imageTagMutabilityExclusionFilters.reset();
  replace_text(had.repositoryPolicy, change.repositoryPolicy);
  replace_text(had.lifecyclePolicy, change.lifecyclePolicy);
  replace(had.appliedFor, change.appliedFor);
  replace_text(had.customRoleArn, change.customRoleArn);
  return had;
}

RepositoryRow settings_of(const Template& made) {
  RepositoryRow row;
  row.mutability = made.imageTagMutability.value_or("MUTABLE");
  row.exclusion_filters = filters_of(made);
  if (made.encryptionConfiguration) {
    row.encryption_type = made.encryptionConfiguration->encryptionType;
    row.kms_key = made.encryptionConfiguration->kmsKey.value_or("");
  }
  if (made.resourceTags) aws::merge_tags(row.tags, aws::tag_pairs(*made.resourceTags));
  return row;
}

}  // namespace sampan::ecr
