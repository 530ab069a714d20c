// The IAM API: roles.
#include "iam/iam_answers.h"
#include "iam/iam_api.h"

namespace sampan::iam {

namespace api = sampan::api::iam;

IamApi::Answer<api::CreateRoleOutput> IamApi::CreateRole(const aws::Call& call, api::CreateRoleInput in) {
  refuse_boundary(in.PermissionsBoundary);
  check_document(in.AssumeRolePolicyDocument, PolicyKind::kTrust);
  auto role = fresh(call, "AROA", in.RoleName, in.Path);
  role.trust = in.AssumeRolePolicyDocument;
  role.description = in.Description.value_or("");
  role.longest_session = in.MaxSessionDuration.value_or(role.longest_session);
  if (in.Tags) {
    check_new_tags(*in.Tags, {});
    aws::merge_tags(role.tags, aws::tag_pairs(*in.Tags));
  }
  co_await directory_.create(EntityKind::kRole, call.account, role);
  co_return api::CreateRoleOutput{.Role = show_role(call.account, role)};
}

IamApi::Answer<api::GetRoleOutput> IamApi::GetRole(const aws::Call& call, api::GetRoleInput in) {
  const auto& role = directory_.get(EntityKind::kRole, call.account, in.RoleName);
  co_return api::GetRoleOutput{.Role = show_role(call.account, role)};
}

IamApi::Answer<api::ListRolesOutput> IamApi::ListRoles(const aws::Call& call, api::ListRolesInput in) {
  api::ListRolesOutput out;
  const auto roles = entities_of(directory_.table(EntityKind::kRole), call.account, in.PathPrefix);
  page_of(in, out, roles, "ListRoles:" + in.PathPrefix.value_or(""), key_of_entity,
          [&](const Entity* role) { out.Roles.push_back(show_role(call.account, *role)); });
  for (auto& role : out.Roles) role.Tags.reset();  // GetRole alone shows them
  co_return out;
}

IamApi::Answer<api::UpdateRoleOutput> IamApi::UpdateRole(const aws::Call& call, api::UpdateRoleInput in) {
  co_await directory_.update(EntityKind::kRole, call.account, in.RoleName, [&](Entity& role) {
    if (in.Description) role.description = *in.Description;
    if (in.MaxSessionDuration) role.longest_session = *in.MaxSessionDuration;
  });
  co_return api::UpdateRoleOutput{};
}

IamApi::Answer<api::UpdateAssumeRolePolicyOutput> IamApi::UpdateAssumeRolePolicy(
    const aws::Call& call, api::UpdateAssumeRolePolicyInput in) {
  check_document(in.PolicyDocument, PolicyKind::kTrust);
  co_await directory_.update(EntityKind::kRole, call.account, in.RoleName,
                             [&](Entity& role) { role.trust = in.PolicyDocument; });
  co_return api::UpdateAssumeRolePolicyOutput{};
}

IamApi::Answer<api::DeleteRoleOutput> IamApi::DeleteRole(const aws::Call& call, api::DeleteRoleInput in) {
  co_await directory_.remove(EntityKind::kRole, call.account, in.RoleName);
  co_return api::DeleteRoleOutput{};
}

}  // namespace sampan::iam
