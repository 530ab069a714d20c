// The IAM API: what would a user or role be allowed?
#include <fmt/core.h>

#include "iam/authorizer.h"
#include "iam/iam_answers.h"
#include "iam/iam_api.h"

namespace sampan::iam {
namespace {

namespace api = sampan::api::iam;

constexpr std::size_t kMostAnswers = 1000;

std::string word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAllow:
      return "allowed";
    case Verdict::kExplicitDeny:
      return "explicitDeny";
    case Verdict::kImplicitDeny:
      break;
  }
  return "implicitDeny";
}

}  // namespace

IamApi::Answer<api::SimulatePrincipalPolicyOutput> IamApi::SimulatePrincipalPolicy(
    const aws::Call& call, api::SimulatePrincipalPolicyInput in) {
  if (in.ResourcePolicy || in.PermissionsBoundaryPolicyInputList) {
    throw api::InvalidInputException("Sampan simulates the policies of users and roles alone.");
  }
  aws::Identity who{call.account, {}, {}, {}, in.PolicySourceArn, std::nullopt};
  auto subject = grants_.subject_of(who);
  if (!subject.grants || subject.principal.account != call.account) {
    throw api::NoSuchEntityException(fmt::format("{} cannot be found.", in.PolicySourceArn));
  }
  auto policies = subject.grants->policies;
  for (const auto& document : in.PolicyInputList.value_or(std::vector<std::string>())) {
    check_document(document, PolicyKind::kIdentity);
    policies.push_back(std::make_shared<const Policy>(parse_policy(document, PolicyKind::kIdentity)));
  }
  auto context = context_of(subject, {call.remote_address, call.region, call.secure, call.now});
  for (const auto& entry : in.ContextEntries.value_or(std::vector<api::ContextEntry>())) {
    if (entry.ContextKeyName) {
      context.set(*entry.ContextKeyName, entry.ContextKeyValues.value_or(std::vector<std::string>()));
    }
  }
  const auto resources = in.ResourceArns.value_or(std::vector<std::string>{"*"});
  if (in.ActionNames.size() * resources.size() > kMostAnswers) {
    throw api::InvalidInputException(
        fmt::format("More than {} answers were asked for at once.", kMostAnswers));
  }
  api::SimulatePrincipalPolicyOutput out;
  auto& results = out.EvaluationResults.emplace();
  for (const auto& action : in.ActionNames) {
    for (const auto& resource : resources) {
      auto& result = results.emplace_back();
      result.EvalActionName = action;
      result.EvalResourceName = resource;
      result.EvalDecision =
          word_of(decide({subject.principal, action, resource, context}, {policies}).verdict);
    }
  }
  out.IsTruncated = false;
  co_return out;
}

}  // namespace sampan::iam
