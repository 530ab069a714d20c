// The IAM API: users, and the tags of users and roles.
#include <fmt/core.h>

#include "aws/arn.h"
#include "iam/iam_answers.h"
#include "iam/iam_api.h"

namespace sampan::iam {

namespace api = sampan::api::iam;

std::string IamApi::user_named(const aws::Call& call, const std::optional<std::string>& name) const {
  if (name) return *name;
  const auto arn = aws::Arn::parse(call.principal_arn);
  if (arn && arn->resource_type() == "user") return std::string(aws::last_segment(arn->resource));
  throw aws::Fault("ValidationError", 400, "Must specify userName when calling with non-User credentials");
}

Entity IamApi::fresh(const aws::Call& call, std::string_view id_prefix, std::string name,
                     const std::optional<std::string>& path) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  Entity entity{.name = std::move(name), .path = path.value_or("/"), .id = std::string(id_prefix)};
  for (int i = 0; i < 17; ++i) entity.id += kLetters[ids_.next() % kLetters.size()];
  entity.created = std::chrono::floor<std::chrono::seconds>(call.now);
  return entity;
}

IamApi::Answer<api::CreateUserOutput> IamApi::CreateUser(const aws::Call& call, api::CreateUserInput in) {
  refuse_boundary(in.PermissionsBoundary);
  auto user = fresh(call, "AIDA", in.UserName, in.Path);
  if (in.Tags) {
    check_new_tags(*in.Tags, {});
    aws::merge_tags(user.tags, aws::tag_pairs(*in.Tags));
  }
  co_await directory_.create(EntityKind::kUser, call.account, user);
  co_return api::CreateUserOutput{.User = show_user(call.account, user)};
}

IamApi::Answer<api::GetUserOutput> IamApi::GetUser(const aws::Call& call, api::GetUserInput in) {
  if (!in.UserName && call.principal_arn == root_arn(call.account)) {
    co_return api::GetUserOutput{.User = {.Path = "/", .UserId = call.account, .Arn = call.principal_arn}};
  }
  const auto name = user_named(call, in.UserName);
  co_return api::GetUserOutput{
      .User = show_user(call.account, directory_.get(EntityKind::kUser, call.account, name))};
}

IamApi::Answer<api::ListUsersOutput> IamApi::ListUsers(const aws::Call& call, api::ListUsersInput in) {
  api::ListUsersOutput out;
  const auto users = entities_of(directory_.table(EntityKind::kUser), call.account, in.PathPrefix);
  page_of(in, out, users, "ListUsers:" + in.PathPrefix.value_or(""), key_of_entity,
          [&](const Entity* user) { out.Users.push_back(show_user(call.account, *user)); });
  for (auto& user : out.Users) user.Tags.reset();  // GetUser alone shows them
  co_return out;
}

IamApi::Answer<api::DeleteUserOutput> IamApi::DeleteUser(const aws::Call& call, api::DeleteUserInput in) {
  co_await directory_.remove(EntityKind::kUser, call.account, in.UserName);
  co_return api::DeleteUserOutput{};
}

IamApi::Answer<void> IamApi::tag(EntityKind kind, const aws::Call& call, std::string name,
                                 std::vector<api::Tag> tags) {
  co_await directory_.update(kind, call.account, std::move(name), [tags = std::move(tags)](Entity& entity) {
    check_new_tags(tags, entity.tags);
    aws::merge_tags(entity.tags, aws::tag_pairs(tags));
  });
}

IamApi::Answer<void> IamApi::untag(EntityKind kind, const aws::Call& call, std::string name,
                                   std::vector<std::string> keys) {
  co_await directory_.update(kind, call.account, std::move(name), [keys = std::move(keys)](Entity& entity) {
    aws::remove_tags(entity.tags, keys);
  });
}

IamApi::Answer<api::TagUserOutput> IamApi::TagUser(const aws::Call& call, api::TagUserInput in) {
  co_await tag(EntityKind::kUser, call, in.UserName, in.Tags);
  co_return api::TagUserOutput{};
}

IamApi::Answer<api::UntagUserOutput> IamApi::UntagUser(const aws::Call& call, api::UntagUserInput in) {
  co_await untag(EntityKind::kUser, call, in.UserName, in.TagKeys);
  co_return api::UntagUserOutput{};
}

IamApi::Answer<api::ListUserTagsOutput> IamApi::ListUserTags(const aws::Call& call,
                                                             api::ListUserTagsInput in) {
  api::ListUserTagsOutput out;
  const auto& tags = directory_.get(EntityKind::kUser, call.account, in.UserName).tags;
  page_of(
      in, out, tags, "ListUserTags:" + in.UserName, [](const auto& tag) { return tag.first; },
      [&](const auto& tag) { out.Tags.push_back({tag.first, tag.second}); });
  co_return out;
}

IamApi::Answer<api::TagRoleOutput> IamApi::TagRole(const aws::Call& call, api::TagRoleInput in) {
  co_await tag(EntityKind::kRole, call, in.RoleName, in.Tags);
  co_return api::TagRoleOutput{};
}

IamApi::Answer<api::UntagRoleOutput> IamApi::UntagRole(const aws::Call& call, api::UntagRoleInput in) {
  co_await untag(EntityKind::kRole, call, in.RoleName, in.TagKeys);
  co_return api::UntagRoleOutput{};
}

IamApi::Answer<api::ListRoleTagsOutput> IamApi::ListRoleTags(const aws::Call& call,
                                                             api::ListRoleTagsInput in) {
  api::ListRoleTagsOutput out;
  const auto& tags = directory_.get(EntityKind::kRole, call.account, in.RoleName).tags;
  page_of(
      in, out, tags, "ListRoleTags:" + in.RoleName, [](const auto& tag) { return tag.first; },
      [&](const auto& tag) { out.Tags.push_back({tag.first, tag.second}); });
  co_return out;
}

}  // namespace sampan::iam
