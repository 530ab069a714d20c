// The ECR API: policies of repositories and of the registry.
#include <fmt/core.h>

#include "ecr/ecr_api.h"
#include "ecr/faults.h"
#include "iam/policy_decision.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

api::InvalidParameterException bad_policy(std::string_view what) {
  return api::InvalidParameterException(
      fmt::format("Invalid parameter at 'PolicyText' failed to satisfy constraint: '{}'", what));
}

template <class Read>
iam::Policy read(const std::string& text, Read reader, std::string_view what) {
  try {
    return reader(text);
  } catch (const iam::MalformedPolicy&) {
    throw bad_policy(fmt::format("Invalid {} policy provided", what));
  }
}

api::RepositoryPolicyNotFoundException no_policy(const RepositoryId& id) {
  return api::RepositoryPolicyNotFoundException(fmt::format(
      "Repository policy does not exist for the repository with name '{}' in the registry with id '{}'",
      id.name, id.account));
}

api::RegistryPolicyNotFoundException no_registry_policy(const std::string& account) {
  return api::RegistryPolicyNotFoundException(
      fmt::format("Registry policy does not exist in the registry with id '{}'", account));
}

// Would the caller still be allowed to set another one?
void check_lockout(const aws::Call& call, const RepositoryId& id, const iam::Policy& policy) {
  auto principal = iam::Principal::of(call.principal_arn);
  const iam::Context context;
  const auto arn = id.arn();
  if (iam::evaluate(policy, {principal, "ecr:SetRepositoryPolicy", arn, context}) != iam::Answer::kDenies)
    return;
  throw bad_policy(
      "As a safety measure, the provided policy would prevent the caller from setting another policy; use "
      "force to "
      "set it nevertheless");
}

}  // namespace

EcrApi::Answer<api::SetRepositoryPolicyOutput> EcrApi::SetRepositoryPolicy(const aws::Call& call,
                                                                           api::SetRepositoryPolicyInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto policy = read(in.policyText, read_repository_policy, "repository");
  if (!in.force.value_or(false)) check_lockout(call, id, policy);
  try {
    co_await parts_.policies.set_repository(id, in.policyText);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  co_return api::SetRepositoryPolicyOutput{id.account, id.name, in.policyText};
}

EcrApi::Answer<api::GetRepositoryPolicyOutput> EcrApi::GetRepositoryPolicy(const aws::Call& call,
                                                                           api::GetRepositoryPolicyInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto* text = parts_.policies.of_repository(id);
  if (!text) throw no_policy(id);
  co_return api::GetRepositoryPolicyOutput{id.account, id.name, *text};
}

EcrApi::Answer<api::DeleteRepositoryPolicyOutput> EcrApi::DeleteRepositoryPolicy(
    const aws::Call& call, api::DeleteRepositoryPolicyInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto* text = parts_.policies.of_repository(id);
  if (!text) throw no_policy(id);
  api::DeleteRepositoryPolicyOutput out{id.account, id.name, *text};
  co_await parts_.policies.remove_repository(id);
  co_return out;
}

EcrApi::Answer<api::PutRegistryPolicyOutput> EcrApi::PutRegistryPolicy(const aws::Call& call,
                                                                       api::PutRegistryPolicyInput in) {
  read(in.policyText, read_registry_policy, "registry");
  co_await parts_.policies.set_registry(call.account, call.region, in.policyText);
  co_return api::PutRegistryPolicyOutput{call.account, in.policyText};
}

EcrApi::Answer<api::GetRegistryPolicyOutput> EcrApi::GetRegistryPolicy(const aws::Call& call,
                                                                       api::GetRegistryPolicyInput) {
  const auto* text = parts_.policies.of_registry(call.account, call.region);
  if (!text) throw no_registry_policy(call.account);
  co_return api::GetRegistryPolicyOutput{call.account, *text};
}

EcrApi::Answer<api::DeleteRegistryPolicyOutput> EcrApi::DeleteRegistryPolicy(const aws::Call& call,
                                                                             api::DeleteRegistryPolicyInput) {
  const auto* text = parts_.policies.of_registry(call.account, call.region);
  if (!text) throw no_registry_policy(call.account);
  api::DeleteRegistryPolicyOutput out{call.account, *text};
  co_await parts_.policies.remove_registry(call.account, call.region);
  co_return out;
}

}  // namespace sampan::ecr
