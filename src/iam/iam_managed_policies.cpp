// The IAM API: managed policies and their versions.
#include <fmt/core.h>

#include "iam/iam_answers.h"
#include "iam/iam_api.h"
#include "iam/managed_policies.h"

namespace sampan::iam {
namespace {

namespace api = sampan::api::iam;

constexpr std::size_t kLongestManaged = 6144;
constexpr std::size_t kMostVersions = 5;

void check_managed(const std::string& document) {
  check_document(document, PolicyKind::kIdentity);
  if (policy_size(document) > kLongestManaged) {
    throw api::LimitExceededException(fmt::format("Cannot exceed quota for PolicySize: {}", kLongestManaged));
  }
}

api::NoSuchEntityException no_policy(const std::string& arn) {
  return api::NoSuchEntityException(fmt::format("Policy {} was not found.", arn));
}

api::NoSuchEntityException no_version(const std::string& arn, const std::string& version) {
  return api::NoSuchEntityException(
      fmt::format("Policy {} version {} does not exist or is not attachable.", arn, version));
}

api::Policy show(std::string_view account, const ManagedPolicy& policy, int attachments) {
  api::Policy shown;
  shown.PolicyName = policy.name;
  shown.PolicyId = policy.id;
  shown.Arn = policy_arn(account, policy);
  shown.Path = policy.path;
  shown.DefaultVersionId = policy.default_version;
  shown.AttachmentCount = attachments;
  shown.PermissionsBoundaryUsageCount = 0;
  shown.IsAttachable = true;
  if (!policy.description.empty()) shown.Description = policy.description;
  shown.CreateDate = policy.created;
  shown.UpdateDate = policy.updated;
  if (!policy.tags.empty()) shown.Tags = aws::to_tag_list<api::Tag>(policy.tags);
  return shown;
}

api::Policy show(const AwsManagedPolicy& policy, int attachments) {
  api::Policy shown;
  shown.PolicyName = policy.name;
  shown.PolicyId = policy.id();
  shown.Arn = policy.arn();
  shown.Path = policy.path;
  shown.DefaultVersionId = "v1";
  shown.AttachmentCount = attachments;
  shown.PermissionsBoundaryUsageCount = 0;
  shown.IsAttachable = true;
  shown.Description = policy.description;
  return shown;
}

api::PolicyVersion show_version(const ManagedPolicy& policy, const PolicyVersion& version) {
  api::PolicyVersion shown;
  shown.VersionId = version.id;
  shown.IsDefaultVersion = version.id == policy.default_version;
  shown.CreateDate = version.created;
  return shown;
}

}  // namespace

IamApi::Answer<api::CreatePolicyOutput> IamApi::CreatePolicy(const aws::Call& call,
                                                             api::CreatePolicyInput in) {
  check_managed(in.PolicyDocument);
  const auto named = fresh(call, "ANPA", in.PolicyName, in.Path);
  ManagedPolicy policy{.name = named.name,
                       .path = named.path,
                       .id = named.id,
                       .description = in.Description.value_or(""),
                       .created = named.created,
                       .updated = named.created,
                       .default_version = "v1"};
  policy.versions.push_back({"v1", in.PolicyDocument, named.created});
  if (in.Tags) {
    check_new_tags(*in.Tags, {});
    aws::merge_tags(policy.tags, aws::tag_pairs(*in.Tags));
  }
  co_await directory_.create_policy(call.account, policy);
  co_return api::CreatePolicyOutput{.Policy = show(call.account, policy, 0)};
}

IamApi::Answer<api::GetPolicyOutput> IamApi::GetPolicy(const aws::Call& call, api::GetPolicyInput in) {
  const auto attachments = directory_.attachments(call.account, in.PolicyArn);
  if (const auto* builtin = find_aws_managed_policy(in.PolicyArn)) {
    co_return api::GetPolicyOutput{.Policy = show(*builtin, attachments)};
  }
  const auto* policy = directory_.find_policy(call.account, in.PolicyArn);
  if (!policy) throw no_policy(in.PolicyArn);
  co_return api::GetPolicyOutput{.Policy = show(call.account, *policy, attachments)};
}

IamApi::Answer<api::ListPoliciesOutput> IamApi::ListPolicies(const aws::Call& call,
                                                             api::ListPoliciesInput in) {
  std::vector<api::Policy> all;
  const auto scope = in.Scope.value_or("All");
  if (scope != "AWS") {
    for (const auto& [key, row] : directory_.policies()) {
      if (account_of_key(key) != call.account) continue;
      const auto arn = policy_arn(call.account, row.value);
      all.push_back(show(call.account, row.value, directory_.attachments(call.account, arn)));
    }
  }
  if (scope != "Local") {
    for (const auto& policy : aws_managed_policies()) {
      all.push_back(show(policy, directory_.attachments(call.account, policy.arn())));
    }
  }
  std::erase_if(all, [&](const api::Policy& policy) {
    return (in.OnlyAttached.value_or(false) && policy.AttachmentCount == 0) ||
           !policy.Path->starts_with(in.PathPrefix.value_or("/")) ||
           in.PolicyUsageFilter == std::optional<std::string>("PermissionsBoundary");
  });
  std::ranges::sort(all, {}, [](const api::Policy& policy) { return *policy.Arn; });
  api::ListPoliciesOutput out;
  auto& shown = out.Policies.emplace();
  page_of(
      in, out, all, "ListPolicies:" + scope + in.PathPrefix.value_or(""),
      [](const api::Policy& policy) { return *policy.Arn; },
      [&](const api::Policy& policy) {
        shown.push_back(policy);
        shown.back().Description.reset();  // GetPolicy alone shows these
        shown.back().Tags.reset();
      });
  co_return out;
}

IamApi::Answer<api::DeletePolicyOutput> IamApi::DeletePolicy(const aws::Call& call,
                                                             api::DeletePolicyInput in) {
  co_await directory_.remove_policy(call.account, in.PolicyArn);
  co_return api::DeletePolicyOutput{};
}

IamApi::Answer<api::CreatePolicyVersionOutput> IamApi::CreatePolicyVersion(const aws::Call& call,
                                                                           api::CreatePolicyVersionInput in) {
  check_managed(in.PolicyDocument);
  const auto now = std::chrono::floor<std::chrono::seconds>(call.now);
  api::CreatePolicyVersionOutput out;
  co_await directory_.update_policy(call.account, in.PolicyArn, [&](ManagedPolicy& policy) {
    if (policy.versions.size() >= kMostVersions) {
      throw api::LimitExceededException(
          "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
          "existing version.");
    }
    policy.versions.push_back({fmt::format("v{}", ++policy.last_version), in.PolicyDocument, now});
    if (in.SetAsDefault.value_or(false)) policy.default_version = policy.versions.back().id;
    policy.updated = now;
    out.PolicyVersion = show_version(policy, policy.versions.back());
  });
  co_return out;
}

IamApi::Answer<api::GetPolicyVersionOutput> IamApi::GetPolicyVersion(const aws::Call& call,
                                                                     api::GetPolicyVersionInput in) {
  api::GetPolicyVersionOutput out;
  auto& shown = out.PolicyVersion.emplace();
  if (const auto* builtin = find_aws_managed_policy(in.PolicyArn)) {
    if (in.VersionId != "v1") throw no_version(in.PolicyArn, in.VersionId);
    shown.Document = show_document(builtin->document);
    shown.VersionId = in.VersionId;
    shown.IsDefaultVersion = true;
    co_return out;
  }
  const auto* policy = directory_.find_policy(call.account, in.PolicyArn);
  if (!policy) throw no_policy(in.PolicyArn);
  const auto* version = policy->find(in.VersionId);
  if (!version) throw no_version(in.PolicyArn, in.VersionId);
  shown = show_version(*policy, *version);
  shown.Document = show_document(version->document);
  co_return out;
}

IamApi::Answer<api::ListPolicyVersionsOutput> IamApi::ListPolicyVersions(const aws::Call& call,
                                                                         api::ListPolicyVersionsInput in) {
  api::ListPolicyVersionsOutput out;
  auto& shown = out.Versions.emplace();
  out.IsTruncated = false;  // five at most
  if (find_aws_managed_policy(in.PolicyArn)) {
    auto& version = shown.emplace_back();
    version.VersionId = "v1";
    version.IsDefaultVersion = true;
    co_return out;
  }
  const auto* policy = directory_.find_policy(call.account, in.PolicyArn);
  if (!policy) throw no_policy(in.PolicyArn);
  for (auto version = policy->versions.rbegin(); version != policy->versions.rend(); ++version) {
    shown.push_back(show_version(*policy, *version));
  }
  co_return out;
}

IamApi::Answer<api::SetDefaultPolicyVersionOutput> IamApi::SetDefaultPolicyVersion(
    const aws::Call& call, api::SetDefaultPolicyVersionInput in) {
  const auto now = std::chrono::floor<std::chrono::seconds>(call.now);
  co_await directory_.update_policy(call.account, in.PolicyArn, [&](ManagedPolicy& policy) {
    if (!policy.find(in.VersionId)) throw no_version(in.PolicyArn, in.VersionId);
    policy.default_version = in.VersionId;
    policy.updated = now;
  });
  co_return api::SetDefaultPolicyVersionOutput{};
}

IamApi::Answer<api::DeletePolicyVersionOutput> IamApi::DeletePolicyVersion(const aws::Call& call,
                                                                           api::DeletePolicyVersionInput in) {
  co_await directory_.update_policy(call.account, in.PolicyArn, [&](ManagedPolicy& policy) {
    if (!policy.find(in.VersionId)) throw no_version(in.PolicyArn, in.VersionId);
    if (policy.default_version == in.VersionId) {
      throw api::DeleteConflictException("Cannot delete the default version of a policy.");
    }
    std::erase_if(policy.versions, [&](const PolicyVersion& version) { return version.id == in.VersionId; });
  });
  co_return api::DeletePolicyVersionOutput{};
}

}  // namespace sampan::iam
