// The IAM API: managed policies attached to users, groups and roles.
#include <fmt/core.h>

#include <algorithm>

#include "aws/arn.h"
#include "iam/iam_answers.h"
#include "iam/iam_api.h"
#include "iam/managed_policies.h"

namespace sampan::iam {
namespace {

namespace api = sampan::api::iam;

constexpr std::size_t kMostAttached = 20;  // AWS's quota is 10, adjustable to 20

template <class In, class Out>
void list_attached(const In& in, Out& out, const Entity& entity) {
  auto& shown = out.AttachedPolicies.emplace();
  auto arns = entity.attached;
  std::ranges::sort(arns);
  if (in.PathPrefix) {
    std::erase_if(arns,
                  [&](const auto& arn) { return arn.find(":policy" + *in.PathPrefix) == std::string::npos; });
  }
  page_of(
      in, out, arns, "attached:" + entity.id, [](const auto& arn) { return arn; },
      [&](const auto& arn) {
        shown.push_back({.PolicyName = std::string(aws::last_segment(arn)), .PolicyArn = arn});
      });
}

}  // namespace

IamApi::Answer<void> IamApi::attach(EntityKind kind, const aws::Call& call, std::string name,
                                    std::string arn) {
  co_await directory_.update(kind, call.account, std::move(name), [&](Entity& entity) {
    if (!directory_.document(call.account, arn)) {
      throw api::NoSuchEntityException(fmt::format("Policy {} does not exist or is not attachable.", arn));
    }
    if (std::ranges::find(entity.attached, arn) != entity.attached.end()) return;
    if (entity.attached.size() >= kMostAttached) {
      static constexpr std::string_view kQuotas[] = {"PoliciesPerUser", "PoliciesPerGroup",
                                                     "PoliciesPerRole"};
      throw api::LimitExceededException(fmt::format("Cannot exceed quota for {}: {}",
                                                    kQuotas[static_cast<std::size_t>(kind)], kMostAttached));
    }
    entity.attached.push_back(arn);
  });
}

IamApi::Answer<void> IamApi::detach(EntityKind kind, const aws::Call& call, std::string name,
                                    std::string arn) {
  co_await directory_.update(kind, call.account, std::move(name), [&](Entity& entity) {
    if (std::erase(entity.attached, arn) == 0) {
      throw api::NoSuchEntityException(fmt::format("Policy {} was not found.", arn));
    }
  });
}

// The same three operations for each kind of entity.
#define SAMPAN_ATTACHED_POLICIES(Kind)                                                          \
  IamApi::Answer<api::Attach##Kind##PolicyOutput> IamApi::Attach##Kind##Policy(                 \
      const aws::Call& call, api::Attach##Kind##PolicyInput in) {                               \
    co_await attach(EntityKind::k##Kind, call, in.Kind##Name, in.PolicyArn);                    \
    co_return api::Attach##Kind##PolicyOutput{};                                                \
  }                                                                                             \
  IamApi::Answer<api::Detach##Kind##PolicyOutput> IamApi::Detach##Kind##Policy(                 \
      const aws::Call& call, api::Detach##Kind##PolicyInput in) {                               \
    co_await detach(EntityKind::k##Kind, call, in.Kind##Name, in.PolicyArn);                    \
    co_return api::Detach##Kind##PolicyOutput{};                                                \
  }                                                                                             \
  IamApi::Answer<api::ListAttached##Kind##PoliciesOutput> IamApi::ListAttached##Kind##Policies( \
      const aws::Call& call, api::ListAttached##Kind##PoliciesInput in) {                       \
    api::ListAttached##Kind##PoliciesOutput out;                                                \
    list_attached(in, out, directory_.get(EntityKind::k##Kind, call.account, in.Kind##Name));   \
    co_return out;                                                                              \
  }

SAMPAN_ATTACHED_POLICIES(User)
SAMPAN_ATTACHED_POLICIES(Group)
SAMPAN_ATTACHED_POLICIES(Role)

IamApi::Answer<api::ListEntitiesForPolicyOutput> IamApi::ListEntitiesForPolicy(
    const aws::Call& call, api::ListEntitiesForPolicyInput in) {
  if (!directory_.document(call.account, in.PolicyArn)) {
    throw api::NoSuchEntityException(fmt::format("Policy {} was not found.", in.PolicyArn));
  }
  struct Holder {
    EntityKind kind;
    const Entity* entity;
  };
  std::vector<Holder> holders;
  static constexpr std::pair<EntityKind, std::string_view> kKinds[] = {
      {EntityKind::kGroup, "Group"}, {EntityKind::kRole, "Role"}, {EntityKind::kUser, "User"}};
  for (const auto& [kind, filter] : kKinds) {
    if (in.EntityFilter && *in.EntityFilter != filter) continue;
    for (const auto* entity : entities_of(directory_.table(kind), call.account, in.PathPrefix)) {
      if (std::ranges::find(entity->attached, in.PolicyArn) != entity->attached.end())
        holders.push_back({kind, entity});
    }
  }
  std::ranges::sort(holders, {}, [](const Holder& holder) { return holder.entity->id; });
  api::ListEntitiesForPolicyOutput out;
  out.PolicyGroups.emplace();
  out.PolicyRoles.emplace();
  out.PolicyUsers.emplace();
  page_of(
      in, out, holders, "entities:" + in.PolicyArn, [](const Holder& holder) { return holder.entity->id; },
      [&](const Holder& holder) {
        const auto& [kind, entity] = holder;
        if (kind == EntityKind::kGroup) out.PolicyGroups->push_back({entity->name, entity->id});
        if (kind == EntityKind::kRole) out.PolicyRoles->push_back({entity->name, entity->id});
        if (kind == EntityKind::kUser) out.PolicyUsers->push_back({entity->name, entity->id});
      });
  co_return out;
}

}  // namespace sampan::iam
