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
constexpr std::size_t kMostTexts = 10;  // prefixes or patterns of one rule
constexpr std::size_t kLongestText = 300;
constexpr std::ptrdiff_t kMostWildcards = 4;
constexpr std::int64_t kLargestNumber = 1'000'000'000;

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

std::int64_t number_of(const json::value& value) {
  if (!value.is_int64() && !value.is_uint64()) wrong_type(value, "integer");
  const auto number = value.is_int64() ? value.get_int64() : kLargestNumber + 1;
  if (number < 1) {
    refuse(
        fmt::format("numeric instance is lower than the required minimum (minimum: 1, found: {})", number));
  }
  if (number > kLargestNumber) {
    refuse(
        fmt::format("numeric instance is greater than the required maximum (maximum: {})", kLargestNumber));
  }
  return number;
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
    if (text.empty() || text.size() > kLongestText) {
      refuse(fmt::format("{} must have texts of 1 to {} characters", name, kLongestText));
    }
    texts.push_back(std::move(text));
  }
  if (texts.empty() || texts.size() > kMostTexts) {
    refuse(fmt::format("{} must have 1 to {} entries", name, kMostTexts));
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
    refuse("tagPrefixList and tagPatternList can only be specified when tagStatus is \"tagged\"");
  }
  if (rule.tags != Rule::Tags::kTagged) return;
  if (!listed) refuse("A tagPatternList or tagPrefixList must be specified when tagStatus is \"tagged\"");
  if (!rule.prefixes.empty() && !rule.patterns.empty()) {
    refuse("tagPatternList and tagPrefixList cannot both be specified in one rule");
  }
  for (const auto& pattern : rule.patterns) {
    if (std::count(pattern.begin(), pattern.end(), '*') > kMostWildcards) {
      refuse(fmt::format("The pattern '{}' has more than {} wildcards", pattern, kMostWildcards));
    }
  }
}

void read_count(const json::object& selection, Rule& rule) {
  const auto name = text_of(selection.at("countType"));
  if (name == "imageCountMoreThan") {
    rule.count = Rule::Count::kMoreThan;
  } else if (name == "sinceImagePushed") {
    rule.count = Rule::Count::kDaysSincePushed;
  } else if (name == "sinceImagePulled") {
    rule.count = Rule::Count::kDaysSincePulled;
  } else if (name == "sinceImageTransitioned") {
    rule.count = Rule::Count::kDaysSinceTransitioned;
  } else {
    refuse("instance failed to match exactly one schema (matched 0 out of 2)");
  }
  const auto* unit = selection.if_contains("countUnit");
  if (unit) one_of<int>(*unit, {{"days", 0}});
  rule.number = number_of(selection.at("countNumber"));
  const bool of_days = rule.count != Rule::Count::kMoreThan;
  if (of_days && !unit) refuse("object has missing required properties ([\"countUnit\"])");
  if (!of_days && unit) {
    refuse("object instance has properties which are not allowed by the schema: ([\"countUnit\"])");
  }
}

void read_classes(const json::object& selection, const json::object& action, Rule& rule) {
  if (const auto* from = selection.if_contains("storageClass")) {
    rule.from = one_of<Rule::Class>(
        *from, {{"standard", Rule::Class::kStandard}, {"archive", Rule::Class::kArchive}});
  }
  const bool of_archive = rule.from == Rule::Class::kArchive;
  const bool transitioned = rule.count == Rule::Count::kDaysSinceTransitioned;
  if (transitioned != of_archive) {
    refuse(transitioned ? "countType \"sinceImageTransitioned\" needs storageClass \"archive\""
                        : "storageClass \"archive\" needs countType \"sinceImageTransitioned\"");
  }
  const auto* target = action.if_contains("targetStorageClass");
  if (rule.action == Rule::Action::kExpire) {
    if (target) refuse("targetStorageClass can only be specified for an action of type \"transition\"");
    return;
  }
  if (!target) refuse("object has missing required properties ([\"targetStorageClass\"])");
  one_of<int>(*target, {{"archive", 0}});
  if (of_archive) refuse("images of storageClass \"archive\" cannot be transitioned to \"archive\"");
}

Rule read_rule(const json::value& value) {
  const auto& object = object_of(value);
  check_members(object, {"rulePriority", "selection", "action"}, {"description"});
  const auto& action = object_of(object.at("action"));
  check_members(action, {"type"}, {"targetStorageClass"});
  Rule rule;
  rule.action = one_of<Rule::Action>(
      action.at("type"), {{"expire", Rule::Action::kExpire}, {"transition", Rule::Action::kArchive}});
  const auto& selection = object_of(object.at("selection"));
  check_members(selection, {"tagStatus", "countType", "countNumber"},
                {"tagPatternList", "tagPrefixList", "countUnit", "storageClass"});
  read_tags(selection, rule);
  read_count(selection, rule);
  read_classes(selection, action, rule);
  rule.priority = number_of(object.at("rulePriority"));
  if (const auto* description = object.if_contains("description")) rule.description = text_of(*description);
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
      if (any)
        refuse("A rule with tagStatus \"any\" must have the highest rulePriority and be evaluated last");
      if (rule.tags == Rule::Tags::kAny) any = &rule;
      if (rule.tags == Rule::Tags::kUntagged && ++untagged > 1) {
        refuse("There can only be one rule with tagStatus \"untagged\" for a storage class");
      }
      auto list = rule.prefixes.empty() ? rule.patterns : rule.prefixes;
      std::sort(list.begin(), list.end());
      if (rule.tags == Rule::Tags::kTagged && !lists.insert(std::move(list)).second) {
        refuse("Two rules for a storage class must not have the same tag prefixes or patterns");
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
  if (bad || !value.is_object()) refuse("Could not map policyString into LifecyclePolicy.");
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
      refuse(fmt::format("Rule priorities must be unique: {} is used twice", policy.rules.back().priority));
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
