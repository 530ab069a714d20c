// The IAM API: policies inside users, groups and roles.
#include <fmt/core.h>

#include "iam/iam_answers.h"
#include "iam/iam_api.h"

namespace sampan::iam {
namespace {

namespace api = sampan::api::iam;

struct Words {
  std::string_view name;
  std::size_t quota;  // characters of all its policies together
};
constexpr Words kWords[] = {{"user", 2048}, {"group", 5120}, {"role", 10240}};

const Words& words_of(EntityKind kind) {
  return kWords[static_cast<std::size_t>(kind)];
}

void check_quota(EntityKind kind, const Entity& entity) {
  std::size_t size = 0;
  for (const auto& [name, document] : entity.policies) size += policy_size(document);
  const auto& words = words_of(kind);
  if (size <= words.quota) return;
  throw api::LimitExceededException(fmt::format("Maximum policy size of {} bytes exceeded for {} {}",
                                                words.quota, words.name, entity.name));
}

api::NoSuchEntityException no_policy(EntityKind kind, const std::string& policy) {
  return api::NoSuchEntityException(
      fmt::format("The {} policy with name {} cannot be found.", words_of(kind).name, policy));
}

template <class In, class Out>
void list_policies(const In& in, Out& out, const Entity& entity) {
  page_of(
      in, out, entity.policies, "inline:" + entity.id, [](const auto& policy) { return policy.first; },
      [&](const auto& policy) { out.PolicyNames.push_back(policy.first); });
}

}  // namespace

IamApi::Answer<void> IamApi::put_policy(EntityKind kind, const aws::Call& call, std::string name,
                                        std::string policy, std::string document) {
  directory_.get(kind, call.account, name);
  check_document(document, PolicyKind::kIdentity);
  co_await directory_.update(kind, call.account, std::move(name), [&](Entity& entity) {
    entity.policies[policy] = document;
    check_quota(kind, entity);
  });
}

IamApi::Answer<void> IamApi::delete_policy(EntityKind kind, const aws::Call& call, std::string name,
                                           std::string policy) {
  co_await directory_.update(kind, call.account, std::move(name), [&](Entity& entity) {
    if (entity.policies.erase(policy) == 0) throw no_policy(kind, policy);
  });
}

const std::string& IamApi::inline_policy(EntityKind kind, const aws::Call& call, const std::string& name,
                                         const std::string& policy) const {
  const auto& entity = directory_.get(kind, call.account, name);
  const auto found = entity.policies.find(policy);
  if (found == entity.policies.end()) throw no_policy(kind, policy);
  return found->second;
}

// The same four operations for each kind of entity.
#define SAMPAN_INLINE_POLICIES(Kind, Policies)                                                             \
  IamApi::Answer<api::Put##Kind##PolicyOutput> IamApi::Put##Kind##Policy(const aws::Call& call,            \
                                                                         api::Put##Kind##PolicyInput in) { \
    co_await put_policy(EntityKind::k##Kind, call, in.Kind##Name, in.PolicyName, in.PolicyDocument);       \
    co_return api::Put##Kind##PolicyOutput{};                                                              \
  }                                                                                                        \
  IamApi::Answer<api::Get##Kind##PolicyOutput> IamApi::Get##Kind##Policy(const aws::Call& call,            \
                                                                         api::Get##Kind##PolicyInput in) { \
    const auto& document = inline_policy(EntityKind::k##Kind, call, in.Kind##Name, in.PolicyName);         \
    co_return api::Get##Kind##PolicyOutput{in.Kind##Name, in.PolicyName, show_document(document)};         \
  }                                                                                                        \
  IamApi::Answer<api::List##Policies##Output> IamApi::List##Policies(const aws::Call& call,                \
                                                                     api::List##Policies##Input in) {      \
    api::List##Policies##Output out;                                                                       \
    list_policies(in, out, directory_.get(EntityKind::k##Kind, call.account, in.Kind##Name));              \
    co_return out;                                                                                         \
  }                                                                                                        \
  IamApi::Answer<api::Delete##Kind##PolicyOutput> IamApi::Delete##Kind##Policy(                            \
      const aws::Call& call, api::Delete##Kind##PolicyInput in) {                                          \
    co_await delete_policy(EntityKind::k##Kind, call, in.Kind##Name, in.PolicyName);                       \
    co_return api::Delete##Kind##PolicyOutput{};                                                           \
  }

SAMPAN_INLINE_POLICIES(User, UserPolicies)
SAMPAN_INLINE_POLICIES(Group, GroupPolicies)
SAMPAN_INLINE_POLICIES(Role, RolePolicies)

}  // namespace sampan::iam
