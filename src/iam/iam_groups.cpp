// The IAM API: groups and who is in them.
#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"
#include "iam/iam_answers.h"
#include "iam/iam_api.h"

namespace sampan::iam {
namespace {

namespace api = sampan::api::iam;

constexpr std::size_t kMostGroups = 10;  // of a user

bool is_in(const Entity& user, const std::string& group) {
  return std::ranges::any_of(user.groups,
                             [&](const auto& name) { return core::equal_ignoring_case(name, group); });
}

}  // namespace

IamApi::Answer<api::CreateGroupOutput> IamApi::CreateGroup(const aws::Call& call, api::CreateGroupInput in) {
  auto group = fresh(call, "AGPA", in.GroupName, in.Path);
  co_await directory_.create(EntityKind::kGroup, call.account, group);
  co_return api::CreateGroupOutput{.Group = show_group(call.account, group)};
}

IamApi::Answer<api::GetGroupOutput> IamApi::GetGroup(const aws::Call& call, api::GetGroupInput in) {
  api::GetGroupOutput out;
  const auto& group = directory_.get(EntityKind::kGroup, call.account, in.GroupName);
  out.Group = show_group(call.account, group);
  auto users = entities_of(directory_.table(EntityKind::kUser), call.account, std::nullopt);
  std::erase_if(users, [&](const Entity* user) { return !is_in(*user, group.name); });
  page_of(in, out, users, "GetGroup:" + group.name, key_of_entity,
          [&](const Entity* user) { out.Users.push_back(show_user(call.account, *user)); });
  co_return out;
}

IamApi::Answer<api::ListGroupsOutput> IamApi::ListGroups(const aws::Call& call, api::ListGroupsInput in) {
  api::ListGroupsOutput out;
  const auto groups = entities_of(directory_.table(EntityKind::kGroup), call.account, in.PathPrefix);
  page_of(in, out, groups, "ListGroups:" + in.PathPrefix.value_or(""), key_of_entity,
          [&](const Entity* group) { out.Groups.push_back(show_group(call.account, *group)); });
  co_return out;
}

IamApi::Answer<api::DeleteGroupOutput> IamApi::DeleteGroup(const aws::Call& call, api::DeleteGroupInput in) {
  co_await directory_.remove(EntityKind::kGroup, call.account, in.GroupName);
  co_return api::DeleteGroupOutput{};
}

IamApi::Answer<api::AddUserToGroupOutput> IamApi::AddUserToGroup(const aws::Call& call,
                                                                 api::AddUserToGroupInput in) {
  const auto group = directory_.get(EntityKind::kGroup, call.account, in.GroupName).name;
  co_await directory_.update(EntityKind::kUser, call.account, in.UserName, [&](Entity& user) {
    directory_.get(EntityKind::kGroup, call.account, group);  // it may have gone meanwhile
    if (is_in(user, group)) return;
    if (user.groups.size() >= kMostGroups) {
      throw api::LimitExceededException(
          fmt::format("Cannot exceed quota for GroupsPerUser: {}", kMostGroups));
    }
    user.groups.push_back(group);
  });
  co_return api::AddUserToGroupOutput{};
}

IamApi::Answer<api::RemoveUserFromGroupOutput> IamApi::RemoveUserFromGroup(const aws::Call& call,
                                                                           api::RemoveUserFromGroupInput in) {
  const auto group = directory_.get(EntityKind::kGroup, call.account, in.GroupName).name;
  co_await directory_.update(EntityKind::kUser, call.account, in.UserName, [&](Entity& user) {
    std::erase_if(user.groups, [&](const auto& name) { return core::equal_ignoring_case(name, group); });
  });
  co_return api::RemoveUserFromGroupOutput{};
}

IamApi::Answer<api::ListGroupsForUserOutput> IamApi::ListGroupsForUser(const aws::Call& call,
                                                                       api::ListGroupsForUserInput in) {
  api::ListGroupsForUserOutput out;
  const auto& user = directory_.get(EntityKind::kUser, call.account, in.UserName);
  auto groups = entities_of(directory_.table(EntityKind::kGroup), call.account, std::nullopt);
  std::erase_if(groups, [&](const Entity* group) { return !is_in(user, group->name); });
  page_of(in, out, groups, "ListGroupsForUser:" + user.name, key_of_entity,
          [&](const Entity* group) { out.Groups.push_back(show_group(call.account, *group)); });
  co_return out;
}

}  // namespace sampan::iam
