#include "ecr/access.h"

#include <fmt/core.h>

#include "api/ecr.h"
#include "aws/arn.h"

namespace sampan::ecr {
namespace {

using aws::Attempt;

const std::string* text(const Attempt& attempt, std::string_view name) {
  return aws::text_member(attempt.operation.input, attempt.input, name);
}

// The account that the input names; "" when it names none: what is no ARN is refused by the operation itself.
std::string_view owner_of(const Attempt& attempt) {
  if (const auto* registry = text(attempt, "registryId")) return *registry;
  const auto* arn = text(attempt, "resourceArn");
  if (!arn) return {};
  std::string_view rest = *arn;  // arn:aws:ecr:REGION:ACCOUNT:…
  for (int i = 0; i < 4; ++i) rest.remove_prefix(std::min(rest.size(), rest.find(':') + 1));
  const auto owner = rest.substr(0, rest.find(':'));
  const bool is_account = owner.size() == 12 && owner.find_first_not_of("0123456789") == owner.npos;
  return is_account ? owner : std::string_view();
}

// aws:RequestTag/… and aws:TagKeys of an input that gives tags.
void add_request_tags(const Attempt& attempt, iam::Target& target) {
  for (const auto& member : attempt.operation.input.members) {
    if (member.name != "tags" || member.shape->kind != aws::Kind::kList) continue;
    const auto* tags = aws::get(member, attempt.input);
    if (!tags) return;
    const auto& list = *member.shape->list;
    for (std::size_t i = 0; i < list.size(tags); ++i) {
      const auto* key = aws::text_member(*member.shape->element, list.at(tags, i), "Key");
      const auto* value = aws::text_member(*member.shape->element, list.at(tags, i), "Value");
      if (key && value) target.keys.emplace_back("aws:RequestTag/" + *key, *value);
    }
  }
}

}  // namespace

iam::Target Access::target_of(std::string action, const RepositoryId& repository) const {
  iam::Target target{.action = std::move(action), .account = repository.account};
  target.policies = policies_.policies_of(repository);
  const bool whole = repository.name.empty();
  target.resource = whole ? RepositoryId{repository.account, repository.region, "*"}.arn() : repository.arn();
  if (!whole) target.tags = policies_.tags_of(repository);
  return target;
}

std::vector<iam::Target> Access::targets_of(const Attempt& attempt) const {
  const auto action = iam::action_of(attempt);
  const auto owner = owner_of(attempt);
  RepositoryId id{owner.empty() ? attempt.call.account : std::string(owner), attempt.call.region, {}};
  std::vector<iam::Target> targets;
  const auto add = [&](std::string name) {
    id.name = std::move(name);
    targets.push_back(target_of(action, id));
    add_request_tags(attempt, targets.back());
  };
  if (const auto* arn = text(attempt, "resourceArn")) {
    if (const auto named = parse_repository_arn(*arn)) {
      id = *named;
      add(named->name);
    }
  } else if (const auto* name = text(attempt, "repositoryName")) {
    add(*name);
  } else {
    for (auto& each : aws::text_list_member(attempt.operation.input, attempt.input, "repositoryNames")) {
      add(std::move(each));
    }
    if (targets.empty() && attempt.operation.name == "DescribeRepositories") add("");
  }
  if (targets.empty()) targets.push_back({.action = action, .account = id.account});
  return targets;
}

iam::ResourceKnowledge Access::knowledge() const {
  return {[this](const Attempt& attempt) { return targets_of(attempt); }, owner_of};
}

std::optional<std::string> Access::refusal(const aws::Identity& caller, const RepositoryId& repository,
                                           std::string_view action,
                                           const iam::Circumstances& circumstances) const {
  if (is_free(caller, repository.account)) return std::nullopt;
  return authorizer_.refusal(caller, {target_of(std::string(action), repository)}, circumstances);
}

}  // namespace sampan::ecr
