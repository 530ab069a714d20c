#include "iam/iam_answers.h"

#include <algorithm>

#include "core/text.h"
#include "iam/policy.h"

namespace sampan::iam {
namespace {

namespace api = sampan::api::iam;

std::optional<std::vector<api::Tag>> show_tags(const aws::Tags& tags) {
  if (tags.empty()) return std::nullopt;
  return aws::to_tag_list<api::Tag>(tags);
}

}  // namespace

api::User show_user(std::string_view account, const Entity& user) {
  return {.Path = user.path,
          .UserName = user.name,
          .UserId = user.id,
          .Arn = entity_arn(EntityKind::kUser, account, user),
          .CreateDate = user.created,
          .Tags = show_tags(user.tags)};
}

api::Group show_group(std::string_view account, const Entity& group) {
  return {.Path = group.path,
          .GroupName = group.name,
          .GroupId = group.id,
          .Arn = entity_arn(EntityKind::kGroup, account, group),
          .CreateDate = group.created};
}

api::Role show_role(std::string_view account, const Entity& role) {
  api::Role shown{.Path = role.path,
                  .RoleName = role.name,
                  .RoleId = role.id,
                  .Arn = entity_arn(EntityKind::kRole, account, role),
                  .CreateDate = role.created,
                  .AssumeRolePolicyDocument = show_document(role.trust),
                  .MaxSessionDuration = role.longest_session,
                  .Tags = show_tags(role.tags)};
  if (!role.description.empty()) shown.Description = role.description;
  return shown;
}

void check_document(std::string_view document, PolicyKind kind) {
  try {
    parse_policy(document, kind);
  } catch (const MalformedPolicy& error) {
    throw api::MalformedPolicyDocumentException(error.what());
  }
}

std::size_t policy_size(std::string_view document) {
  return static_cast<std::size_t>(std::ranges::count_if(
      document, [](char c) { return c != ' ' && c != '\t' && c != '\n' && c != '\r'; }));
}

void check_new_tags(const std::vector<api::Tag>& tags, const aws::Tags& had) {
  if (const auto finding = aws::check_tags(aws::tag_pairs(tags), had)) {
    if (finding->problem == aws::TagProblem::kTooMany) throw api::LimitExceededException(finding->message);
    throw api::InvalidInputException(finding->message);
  }
}

void refuse_boundary(const std::optional<std::string>& arn) {
  if (!arn) return;
  throw api::InvalidInputException(
      "Sampan has no permissions boundaries: leave PermissionsBoundary out, or attach a policy that denies.");
}

std::vector<const Entity*> entities_of(const store::Table<Entity>& table, std::string_view account,
                                       const std::optional<std::string>& path) {
  std::vector<const Entity*> found;
  const auto prefix = std::string(account) + '/';
  for (auto row = table.lower_bound(prefix); row != table.end() && row->first.starts_with(prefix); ++row) {
    const auto& entity = row->second.value;
    if (entity.path.starts_with(path.value_or("/"))) found.push_back(&entity);
  }
  return found;
}

std::string key_of_entity(const Entity* entity) {
  return core::to_lower(entity->name);
}

}  // namespace sampan::iam
