// What a repository creation template says and which one is meant for a repository. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/ecr.h"
#include "ecr/rows.h"

namespace sampan::ecr {

using Template = api::ecr::RepositoryCreationTemplate;

// Why Sampan makes a repository that nobody made by CreateRepository.
enum class Cause { kReplication, kPullThroughCache, kCreateOnPush };
std::string_view to_text(Cause cause);  // as in appliedFor

inline constexpr char kRootPrefix[] = "ROOT";
inline constexpr std::size_t kMostTemplates = 50;  // of a registry: as many as pull-through cache rules

// "team/" is "team": a '/' at the end is always meant.
std::string normal_prefix(std::string_view prefix);
// "team/app/api" -> "team/app", "team", "ROOT": the templates that may be meant, the closest first. A prefix
// stands for what is below it: "team" is not for the repository "team" itself.
std::vector<std::string> template_prefixes(std::string_view name);
bool applies(const Template& made, Cause cause);

// What is wrong with a template of `account`, in ECR's words for InvalidParameterException; nothing when it
// is good. Its tags and its policies' texts have rules of their own.
std::optional<std::string> check_template(const Template& given, std::string_view account);
// `change` over `had`: what it does not name stays; an empty policy or key goes.
Template update_template(Template had, const api::ecr::UpdateRepositoryCreationTemplateRequest& change);
// The repository that it makes, but for its policies.
RepositoryRow settings_of(const Template& made);

}  // namespace sampan::ecr
