#include "ecr/lifecycle_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "core/text.h"

namespace sampan::ecr {
namespace {

namespace json = boost::json;
using Rule = LifecycleRule;

constexpr std::size_t kDeepest = 16;
constexpr std::size_t kLongestText = 300;  // of a tag in the API's model
constexpr std::ptrdiff_t kMostWildcards = 4;
constexpr std::int64_t kLargestNumber = 2'147'483'647;
constexpr std::int64_t kFewestDaysArchived = 90;

[[noreturn]] void refuse(const std::string& why) {
  throw BadLifecyclePolicy(why);
}

std::string quoted(const std::vector<std::string>& names) {
  return fmt::format("[\"{}\"]", fmt::join(names, "\",\""));
}

std::string_view type_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::object:
      return "object";
    case json::kind::array:
      return "array";
    case json::kind::string:
      return "string";
    case json::kind::bool_:
      return "boolean";
    case json::kind::null:
      return "null";
    case json::kind::double_:
      return "number";
    default:
      return "integer";
  }
}

[[noreturn]] void wrong_type(const json::value& value, std::string_view allowed) {
  refuse(fmt::format("instance type ({}) does not match any allowed primitive type (allowed: [\"{}\"])",
                     type_name(value), allowed));
}

const json::object& object_of(const json::value& value) {
  if (!value.is_object()) wrong_type(value, "object");
  return value.get_object();
}

std::string text_of(const json::value& value) {
  if (!value.is_string()) wrong_type(value, "string");
  return std::string(value.get_string());
}

[[noreturn]] void not_mapped() {
  refuse("Could not map policyString into LifecyclePolicy.");
}

// ECR's schema has a number of alternatives for a selection (one a countType) and for an action (one a type).
// Where none fits, this is all that it says: with a line of its own, as the service sends it.
[[noreturn]] void no_alternative(int alternatives) {
  refuse(fmt::format("instance failed to match exactly one schema (matched 0 out of {})\n", alternatives));
}
constexpr int kSelections = 4;
constexpr int kActions = 2;

std::int64_t number_of(const json::value& value, std::int64_t least = 1) {
  if (!value.is_int64() && !value.is_uint64()) wrong_type(value, "integer");
  if (value.is_uint64() || value.get_int64() > kLargestNumber) not_mapped();
  const auto number = value.get_int64();
  if (number >= least) return number;
  refuse(fmt::format("numeric instance is lower than the required minimum (minimum: {}, found: {})", least,
                     number));
}

void check_members(const json::object& object, const std::set<std::string_view>& required,
                   const std::set<std::string_view>& optional) {
  std::vector<std::string> missing;
  for (const auto name : required) {
    if (!object.contains(name)) missing.emplace_back(name);
  }
  if (!missing.empty()) refuse(fmt::format("object has missing required properties ({})", quoted(missing)));
  std::vector<std::string> strange;
  for (const auto& [name, value] : object) {
    if (!required.contains(name) && !optional.contains(name)) strange.emplace_back(name);
  }
  std::sort(strange.begin(), strange.end());
  if (!strange.empty()) {
    refuse(fmt::format("object instance has properties which are not allowed by the schema: ({})",
                       quoted(strange)));
  }
}

// One of the names, which stand in the enum's order.
template <class Enum>
Enum one_of(const json::value& value, const std::vector<std::pair<std::string, Enum>>& names) {
  const auto text = text_of(value);
  for (const auto& [name, meaning] : names) {
    if (name == text) return meaning;
  }
  std::vector<std::string> all;
  for (const auto& [name, meaning] : names) all.push_back(name);
  std::sort(all.begin(), all.end());
  refuse(fmt::format("instance value ({}) not found in enum :(possible values: [\"{}\"])", text,
                     fmt::join(all, "\", \"")));
}

std::vector<std::string> texts_of(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains(name);
  if (!value) return texts;
  if (!value->is_array()) wrong_type(*value, "array");
  for (const auto& item : value->get_array()) {
    auto text = text_of(item);
    if (text.empty()) refuse("string \"\" is too short (length: 0, required minimum: 1)");
    if (text.size() > kLongestText) {
      refuse(fmt::format("string \"{}\" is too long (length: {}, maximum allowed: {})", text, text.size(),
                         kLongestText));
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

void read_tags(const json::object& selection, Rule& rule) {
  rule.tags = one_of<Rule::Tags>(
      selection.at("tagStatus"),
      {{"any", Rule::Tags::kAny}, {"tagged", Rule::Tags::kTagged}, {"untagged", Rule::Tags::kUntagged}});
  rule.prefixes = texts_of(selection, "tagPrefixList");
  rule.patterns = texts_of(selection, "tagPatternList");
  const bool listed = !rule.prefixes.empty() || !rule.patterns.empty();
  if (rule.tags != Rule::Tags::kTagged && listed) {
    refuse(fmt::format("Can't specify tagPrefixList or tagPatternList when tagStatus={}.",
                       rule.tags == Rule::Tags::kAny ? "ANY" : "UNTAGGED"));
  }
  if (rule.tags != Rule::Tags::kTagged) return;
  if (!listed) refuse("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.");
  if (!rule.prefixes.empty() && !rule.patterns.empty()) {
    refuse("Can't specify both tagPrefixList and tagPatternList in a rule.");
  }
  for (const auto& pattern : rule.patterns) {
    if (std::count(pattern.begin(), pattern.end(), '*') > kMostWildcards) {
      refuse(fmt::format("The tag pattern '{}' has more than {} wildcards.", pattern, kMostWildcards));
    }
  }
}

// The four selections that there are: by countType, which of countUnit and storageClass go with it.
void read_alternative(const json::object& selection, Rule& rule) {
  const auto& type = selection.at("countType");
  if (type == "imageCountMoreThan") {
    rule.count = Rule::Count::kMoreThan;
  } else if (type == "sinceImagePushed") {
    rule.count = Rule::Count::kDaysSincePushed;
  } else if (type == "sinceImagePulled") {
    rule.count = Rule::Count::kDaysSincePulled;
  } else if (type == "sinceImageTransitioned") {
    rule.count = Rule::Count::kDaysSinceTransitioned;
  } else {
    no_alternative(kSelections);
  }
  const bool of_archive = rule.count == Rule::Count::kDaysSinceTransitioned;
  const auto* from = selection.if_contains("storageClass");
  const bool right_class = from ? *from == (of_archive ? "archive" : "standard") : !of_archive;
  const bool right_unit = selection.contains("countUnit") == (rule.count != Rule::Count::kMoreThan);
  if (!right_class || !right_unit) no_alternative(kSelections);
  rule.from = of_archive ? Rule::Class::kArchive : Rule::Class::kStandard;
}

void read_count(const json::object& selection, Rule& rule) {
  if (const auto* unit = selection.if_contains("countUnit")) one_of<int>(*unit, {{"days", 0}});
  const bool of_archive = rule.from == Rule::Class::kArchive;
  rule.number = number_of(selection.at("countNumber"), of_archive ? kFewestDaysArchived : 1);
}

void read_action(const json::value& value, Rule& rule) {
  const auto& action = object_of(value);
  check_members(action, {"type"}, {"targetStorageClass"});
  const auto* target = action.if_contains("targetStorageClass");
  if (action.at("type") == "expire" && !target) {
    rule.action = Rule::Action::kExpire;
  } else if (action.at("type") == "transition" && target && *target == "archive") {
    rule.action = Rule::Action::kArchive;
  } else {
    no_alternative(kActions);
  }
}

Rule read_rule(const json::value& value) {
  const auto& object = object_of(value);
  check_members(object, {"rulePriority", "selection", "action"}, {"description"});
  Rule rule;
  read_action(object.at("action"), rule);
  rule.priority = number_of(object.at("rulePriority"));
  if (const auto* description = object.if_contains("description")) rule.description = text_of(*description);
  const auto& selection = object_of(object.at("selection"));
  check_members(selection, {"tagStatus", "countType", "countNumber"},
                {"tagPatternList", "tagPrefixList", "countUnit", "storageClass"});
  read_alternative(selection, rule);
  read_tags(selection, rule);
  read_count(selection, rule);
  const bool expires = rule.action == Rule::Action::kExpire;
  if (rule.count == Rule::Count::kDaysSincePulled && expires) {
    refuse("The action type must be transition when countType=sinceImagePulled.");
  }
  if (rule.count == Rule::Count::kDaysSinceTransitioned && !expires) {
    refuse("The action type must be expire when countType=sinceImageTransitioned.");
  }
  return rule;
}

// What must hold between the rules. `rules` are in the order of their priority.
void check_together(const std::vector<Rule>& rules) {
  for (const auto of : {Rule::Class::kStandard, Rule::Class::kArchive}) {
    std::size_t untagged = 0;
    const Rule* any = nullptr;
    std::set<std::vector<std::string>> lists;
    for (const auto& rule : rules) {
      if (rule.from != of) continue;
      if (any) refuse("Rule for tagStatus=ANY must have the lowest priority per storage class.");
      if (rule.tags == Rule::Tags::kAny) any = &rule;
      if (rule.tags == Rule::Tags::kUntagged && ++untagged > 1) {
        refuse("Only one rule can select Untagged images per storage class.");
      }
      auto list = rule.prefixes;
      std::sort(list.begin(), list.end());
      if (!list.empty() && !lists.insert(std::move(list)).second) {
        refuse("Rules must have unique tagPrefixLists per storage class.");
      }
    }
  }
}

json::value parse_json(std::string_view text) {
  if (text.size() > kLongestLifecyclePolicy) refuse("The policy is longer than 30720 characters");
  boost::system::error_code bad;
  json::parse_options options;
  options.max_depth = kDeepest;
  auto value = json::parse(json::string_view(text.data(), text.size()), bad, {}, options);
  if (bad || !value.is_object()) not_mapped();
  return value;
}

}  // namespace

LifecyclePolicy parse_lifecycle_policy(std::string_view text) {
  const auto document = parse_json(text);
  const auto* rules = document.get_object().if_contains("rules");
  if (!rules || !rules->is_array()) refuse("object has missing required properties ([\"rules\"])");
  check_members(document.get_object(), {"rules"}, {});
  if (rules->get_array().empty())
    refuse("array is too short: must have at least 1 elements but instance has 0 elements");
  if (rules->get_array().size() > kMostLifecycleRules) {
    refuse(fmt::format("array is too long: must have at most {} elements but instance has {} elements",
                       kMostLifecycleRules, rules->get_array().size()));
  }
  LifecyclePolicy policy;
  std::set<std::int64_t> priorities;
  for (const auto& value : rules->get_array()) {
    policy.rules.push_back(read_rule(value));
    if (!priorities.insert(policy.rules.back().priority).second) {
      refuse(fmt::format("Rules must have unique rulePriority values: {} is used twice.",
                         policy.rules.back().priority));
    }
  }
  std::sort(policy.rules.begin(), policy.rules.end(),
            [](const Rule& a, const Rule& b) { return a.priority < b.priority; });
  check_together(policy.rules);
  return policy;
}

std::string lifecycle_refusal(const BadLifecyclePolicy& bad) {
  return fmt::format(
      "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation "
      "failure: {}'",
      bad.what());
}

}  // namespace sampan::ecr
