// The IAM API: users, groups, roles, their policies and keys. No passwords, devices, boundaries or providers.
// On the control strand. What the changes mean to callers stands in directory.h and authorizer.h.
#pragma once

#include "api/iam.h"
#include "core/clock.h"
#include "core/random.h"
#include "iam/directory.h"

namespace sampan::iam {

class IamApi final : public api::iam::Service {
 public:
  template <class T>
  using Answer = boost::asio::awaitable<T>;
  IamApi(Directory& directory, const GrantBook& grants, Keys& keys, core::IdSource& ids)
      : directory_(directory), grants_(grants), keys_(keys), ids_(ids) {}

#define SAMPAN_IAM(Op) Answer<api::iam::Op##Output> Op(const aws::Call& call, api::iam::Op##Input in) override
  // iam_users.cpp
  SAMPAN_IAM(CreateUser);
  SAMPAN_IAM(GetUser);
  SAMPAN_IAM(ListUsers);
  SAMPAN_IAM(DeleteUser);
  SAMPAN_IAM(TagUser);
  SAMPAN_IAM(UntagUser);
  SAMPAN_IAM(ListUserTags);
  // iam_keys.cpp
  SAMPAN_IAM(CreateAccessKey);
  SAMPAN_IAM(ListAccessKeys);
  SAMPAN_IAM(UpdateAccessKey);
  SAMPAN_IAM(DeleteAccessKey);
  SAMPAN_IAM(GetAccessKeyLastUsed);
  // iam_groups.cpp
  SAMPAN_IAM(CreateGroup);
  SAMPAN_IAM(GetGroup);
  SAMPAN_IAM(ListGroups);
  SAMPAN_IAM(DeleteGroup);
  SAMPAN_IAM(AddUserToGroup);
  SAMPAN_IAM(RemoveUserFromGroup);
  SAMPAN_IAM(ListGroupsForUser);
  // iam_roles.cpp
  SAMPAN_IAM(CreateRole);
  SAMPAN_IAM(GetRole);
  SAMPAN_IAM(ListRoles);
  SAMPAN_IAM(UpdateRole);
  SAMPAN_IAM(UpdateAssumeRolePolicy);
  SAMPAN_IAM(DeleteRole);
  SAMPAN_IAM(TagRole);
  SAMPAN_IAM(UntagRole);
  SAMPAN_IAM(ListRoleTags);
  // iam_inline_policies.cpp
  SAMPAN_IAM(PutUserPolicy);
  SAMPAN_IAM(GetUserPolicy);
  SAMPAN_IAM(ListUserPolicies);
  SAMPAN_IAM(DeleteUserPolicy);
  SAMPAN_IAM(PutGroupPolicy);
  SAMPAN_IAM(GetGroupPolicy);
  SAMPAN_IAM(ListGroupPolicies);
  SAMPAN_IAM(DeleteGroupPolicy);
  SAMPAN_IAM(PutRolePolicy);
  SAMPAN_IAM(GetRolePolicy);
  SAMPAN_IAM(ListRolePolicies);
  SAMPAN_IAM(DeleteRolePolicy);
  // iam_attachments.cpp
  SAMPAN_IAM(AttachUserPolicy);
  SAMPAN_IAM(DetachUserPolicy);
  SAMPAN_IAM(ListAttachedUserPolicies);
  SAMPAN_IAM(AttachGroupPolicy);
  SAMPAN_IAM(DetachGroupPolicy);
  SAMPAN_IAM(ListAttachedGroupPolicies);
  SAMPAN_IAM(AttachRolePolicy);
  SAMPAN_IAM(DetachRolePolicy);
  SAMPAN_IAM(ListAttachedRolePolicies);
  SAMPAN_IAM(ListEntitiesForPolicy);
  // iam_managed_policies.cpp
  SAMPAN_IAM(CreatePolicy);
  SAMPAN_IAM(GetPolicy);
  SAMPAN_IAM(ListPolicies);
  SAMPAN_IAM(DeletePolicy);
  SAMPAN_IAM(CreatePolicyVersion);
  SAMPAN_IAM(GetPolicyVersion);
  SAMPAN_IAM(ListPolicyVersions);
  SAMPAN_IAM(SetDefaultPolicyVersion);
  SAMPAN_IAM(DeletePolicyVersion);
  // iam_simulate.cpp
  SAMPAN_IAM(SimulatePrincipalPolicy);
#undef SAMPAN_IAM

 private:
  boost::asio::awaitable<void> put_policy(EntityKind kind, const aws::Call& call, std::string name,
                                          std::string policy, std::string document);
  boost::asio::awaitable<void> delete_policy(EntityKind kind, const aws::Call& call, std::string name,
                                             std::string policy);
  const std::string& inline_policy(EntityKind kind, const aws::Call& call, const std::string& name,
                                   const std::string& policy) const;
  boost::asio::awaitable<void> attach(EntityKind kind, const aws::Call& call, std::string name,
                                      std::string arn);
  boost::asio::awaitable<void> detach(EntityKind kind, const aws::Call& call, std::string name,
                                      std::string arn);
  boost::asio::awaitable<void> tag(EntityKind kind, const aws::Call& call, std::string name,
                                   std::vector<api::iam::Tag> tags);
  boost::asio::awaitable<void> untag(EntityKind kind, const aws::Call& call, std::string name,
                                     std::vector<std::string> keys);
  // A call without a user's name is about its caller. Throws when that is no user.
  std::string user_named(const aws::Call& call, const std::optional<std::string>& name) const;
  Entity fresh(const aws::Call& call, std::string_view id_prefix, std::string name,
               const std::optional<std::string>& path);

  Directory& directory_;
  const GrantBook& grants_;
  Keys& keys_;
  core::IdSource& ids_;
};

}  // namespace sampan::iam
