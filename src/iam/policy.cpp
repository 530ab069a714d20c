#include "iam/policy.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>

#include "aws/arn.h"

namespace sampan::iam {
namespace {

namespace json = boost::json;

constexpr std::string_view kSyntax = "Syntax errors in policy.";
constexpr std::string_view kTopElements[] = {"Version", "Id", "Statement"};
constexpr std::string_view kElements[] = {"Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
                                          "NotAction", "Resource", "NotResource", "Condition"};
constexpr std::string_view kTrustActions[] = {"sts:assumerole",
                                              "sts:assumerolewithsaml",
                                              "sts:setsourceidentity",
                                              "sts:assumerolewithwebidentity",
                                              "sts:tagsession",
                                              "sts:setcontext",
                                              "sts:*"};

[[noreturn]] void refuse(std::string_view why) {
  throw MalformedPolicy(std::string(why));
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

std::string text_of(const json::value& value) {
  if (!value.is_string()) refuse(kSyntax);
  return std::string(value.get_string());
}

// A text or a list of texts.
std::vector<std::string> texts_of(const json::value& value) {
  if (value.is_string()) return {text_of(value)};
  if (!value.is_array()) refuse(kSyntax);
  std::vector<std::string> texts;
  for (const auto& one : value.get_array()) texts.push_back(text_of(one));
  return texts;
}

// Condition values may be numbers and booleans too.
std::vector<std::string> scalars_of(const json::value& value) {
  const auto scalar = [](const json::value& one) {
    if (one.is_object() || one.is_array() || one.is_null()) refuse(kSyntax);
    return one.is_string() ? std::string(one.get_string()) : json::serialize(one);
  };
  if (!value.is_array()) return {scalar(value)};
  std::vector<std::string> texts;
  for (const auto& one : value.get_array()) texts.push_back(scalar(one));
  return texts;
}

bool is_account(std::string_view text) {
  return text.size() == 12 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void check_principal(const std::string& text) {
  const auto arn = aws::Arn::parse(text);
  const bool known = arn && (arn->service == "iam" || arn->service == "sts") && is_account(arn->account);
  if (is_account(text) || (known && text.find('*') == std::string::npos)) return;
  refuse(fmt::format("Invalid principal in policy: \"AWS\":\"{}\"", text));
}

Principals parse_principals(const json::value& value) {
  Principals principals;
  if (value.is_string()) {
    if (value.get_string() != "*") refuse(kSyntax);
    principals.anybody = true;
    return principals;
  }
  if (!value.is_object() || value.get_object().empty()) refuse(kSyntax);
  for (const auto& [kind, who] : value.get_object()) {
    auto names = texts_of(who);
    if (kind == "AWS") {
      for (auto& name : names) {
        if (name == "*") {
          principals.anybody = true;
          continue;
        }
        check_principal(name);
        principals.aws.push_back(std::move(name));
      }
    } else if (kind == "Service") {
      principals.services = std::move(names);
    } else if (kind != "Federated" && kind != "CanonicalUser") {
      refuse(fmt::format("Invalid principal in policy: \"{}\"", std::string_view(kind)));
    }
  }
  return principals;
}

void check_action(const std::string& action, PolicyKind kind) {
  if (action == "*" && kind != PolicyKind::kTrust) return;
  const auto colon = action.find(':');
  if (colon == std::string::npos) {
    if (kind == PolicyKind::kTrust) refuse("AssumeRole policy may only specify STS AssumeRole actions.");
    refuse("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  }
  if (action.find(':', colon + 1) != std::string::npos)
    refuse("Actions/Condition can contain only one colon.");
  const std::string_view vendor = std::string_view(action).substr(0, colon);
  const bool good = !vendor.empty() && std::ranges::all_of(vendor, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!good) refuse(fmt::format("Vendor {} is not valid", vendor));
  if (kind != PolicyKind::kTrust) return;
  std::string lower = action;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!is_one_of(lower, kTrustActions)) refuse("AssumeRole policy may only specify STS AssumeRole actions.");
}

void check_resource(const std::string& resource) {
  if (resource == "*") return;
  const auto colons = std::ranges::count(resource, ':');
  if (!resource.starts_with("arn:") || (colons < 5 && !resource.ends_with('*'))) {
    refuse(fmt::format("Resource {} must be in ARN format or \"*\".", resource));
  }
  const auto partition = std::string_view(resource).substr(4, resource.find(':', 4) - 4);
  if (!is_one_of(partition, std::array<std::string_view, 4>{"aws", "aws-cn", "aws-us-gov", "*"})) {
    refuse(fmt::format("Partition \"{}\" is not valid for resource \"{}\".", partition, resource));
  }
}

std::vector<Condition> parse_conditions(const json::value& value) {
  if (!value.is_object()) refuse(kSyntax);
  std::vector<Condition> conditions;
  for (const auto& [name, keys] : value.get_object()) {
    const auto op = ConditionOperator::parse(name);
    if (!op) refuse(fmt::format("Invalid Condition type : {}.", std::string_view(name)));
    if (!keys.is_object()) refuse(kSyntax);
    for (const auto& [key, values] : keys.get_object()) {
      if (std::string_view(key).find(':') == std::string_view::npos) {
        refuse("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
      }
      conditions.push_back({*op, std::string(key), scalars_of(values)});
    }
  }
  return conditions;
}

// One of an element and its opposite, such as Action and NotAction; never both.
struct Choice {
  const json::value* value = nullptr;
  bool opposite = false;
};
Choice choose(const json::object& statement, std::string_view name, std::string_view opposite) {
  const auto* plain = statement.if_contains(name);
  const auto* other = statement.if_contains(opposite);
  if (plain && other) refuse(kSyntax);
  return {plain ? plain : other, other != nullptr};
}

void parse_who(const json::object& given, PolicyKind kind, Statement& statement) {
  const auto who = choose(given, "Principal", "NotPrincipal");
  if (kind == PolicyKind::kIdentity) {
    if (who.value) refuse("Policy document should not specify a principal.");
    return;
  }
  if (!who.value) refuse("Missing required field Principal");
  statement.principals = parse_principals(*who.value);
  statement.all_but_principals = who.opposite;
}

void parse_what(const json::object& given, PolicyKind kind, Statement& statement) {
  const auto actions = choose(given, "Action", "NotAction");
  if (!actions.value) refuse("Policy statement must contain actions.");
  statement.actions = texts_of(*actions.value);
  statement.all_but_actions = actions.opposite;
  if (statement.actions.empty()) refuse("Policy statement must contain actions.");
  for (const auto& action : statement.actions) check_action(action, kind);
}

void parse_where(const json::object& given, PolicyKind kind, Statement& statement) {
  const auto resources = choose(given, "Resource", "NotResource");
  if (kind == PolicyKind::kTrust || kind == PolicyKind::kRepository) {
    if (resources.value) refuse("Has prohibited field Resource");
    statement.resources = {"*"};
    return;
  }
  if (!resources.value) refuse("Policy statement must contain resources.");
  statement.resources = texts_of(*resources.value);
  statement.all_but_resources = resources.opposite;
  if (statement.resources.empty()) refuse("Policy statement must contain resources.");
  for (const auto& resource : statement.resources) check_resource(resource);
}

Statement parse_statement(const json::value& value, PolicyKind kind) {
  if (!value.is_object()) refuse(kSyntax);
  const auto& given = value.get_object();
  for (const auto& [name, ignored] : given) {
    if (!is_one_of(name, kElements)) refuse(kSyntax);
  }
  Statement statement;
  const auto* effect = given.if_contains("Effect");
  if (!effect) refuse(kSyntax);
  const auto text = text_of(*effect);
  if (text != "Allow" && text != "Deny") refuse(kSyntax);
  statement.effect = text == "Allow" ? Effect::kAllow : Effect::kDeny;
  if (const auto* sid = given.if_contains("Sid")) statement.sid = text_of(*sid);
  const bool plain_sid = std::ranges::all_of(statement.sid, [](unsigned char c) { return std::isalnum(c); });
  if (!plain_sid && kind != PolicyKind::kRepository && kind != PolicyKind::kRegistry) {
    refuse(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
        "[0-9A-Za-z]*");
  }
  parse_who(given, kind, statement);
  parse_what(given, kind, statement);
  parse_where(given, kind, statement);
  if (const auto* conditions = given.if_contains("Condition")) {
    statement.conditions = parse_conditions(*conditions);
  }
  return statement;
}

void check_sids(const std::vector<Statement>& statements) {
  std::vector<std::string_view> sids;
  for (const auto& statement : statements) {
    if (!statement.sid.empty()) sids.push_back(statement.sid);
  }
  std::ranges::sort(sids);
  if (std::ranges::adjacent_find(sids) != sids.end()) {
    refuse("Statement IDs (SID) in a single policy must be unique.");
  }
}

}  // namespace

Policy parse_policy(std::string_view text, PolicyKind kind) {
  if (text.size() > kLongestPolicy) refuse(kSyntax);
  boost::system::error_code bad;
  const auto parsed = json::parse(text, bad);
  if (bad || !parsed.is_object()) refuse(kSyntax);
  const auto& document = parsed.get_object();
  for (const auto& [name, ignored] : document) {
    if (!is_one_of(name, kTopElements)) refuse(kSyntax);
  }
  Policy policy;
  const auto* version = document.if_contains("Version");
  const auto dated = version ? text_of(*version) : std::string("2008-10-17");
  if (dated != "2012-10-17" && dated != "2008-10-17") refuse(kSyntax);
  policy.variables = dated == "2012-10-17";
  if (!policy.variables && kind == PolicyKind::kIdentity) {
    refuse("Policy document must be version 2012-10-17 or greater.");
  }
  if (const auto* id = document.if_contains("Id")) policy.id = text_of(*id);
  const auto* statements = document.if_contains("Statement");
  if (!statements) refuse(kSyntax);
  if (statements->is_array()) {
    for (const auto& one : statements->get_array()) policy.statements.push_back(parse_statement(one, kind));
  } else {
    policy.statements.push_back(parse_statement(*statements, kind));
  }
  if (policy.statements.empty()) refuse(kSyntax);
  check_sids(policy.statements);
  return policy;
}

}  // namespace sampan::iam
