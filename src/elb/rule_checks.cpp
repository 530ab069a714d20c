#include "elb/rule_checks.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "core/text.h"
#include "vpc/cidr.h"

namespace sampan::elb {
namespace {

using namespace api::elbv2;

[[noreturn]] void invalid(const std::string& message) {
  throw aws::Fault("ValidationError", 400, message);
}

// Per rule, over all its conditions.
struct Tally {
  int values = 0;
  int wildcards = 0;
};

int wildcards_in(const std::string& value) {
  return static_cast<int>(
      std::count_if(value.begin(), value.end(), [](char c) { return c == '*' || c == '?'; }));
}

void check_value(const std::string& value, std::string_view allowed, std::size_t most, std::string_view field,
                 Tally& tally) {
  if (value.empty() || value.size() > most) {
    invalid(
        fmt::format("Condition value '{}' of field '{}' must have 1 to {} characters", value, field, most));
  }
  const auto good = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || allowed.find(c) != std::string_view::npos;
  };
  if (!std::all_of(value.begin(), value.end(), good)) {
    invalid(fmt::format("Condition value '{}' contains a character that is not valid in field '{}'", value,
                        field));
  }
  ++tally.values;
  tally.wildcards += wildcards_in(value);
}

template <class Config>
std::vector<std::string> values_of(const RuleCondition& condition, const std::optional<Config>& config) {
  const bool own = config && config->Values && !config->Values->empty();
  const bool plain = condition.Values && !condition.Values->empty();
  const auto field = condition.Field.value_or("");
  if (own && plain)
    invalid(fmt::format("You cannot give both 'Values' and the field's own configuration for '{}'", field));
  if (!own && !plain) invalid(fmt::format("A condition value must be specified for field '{}'", field));
  return own ? *config->Values : *condition.Values;
}

bool is_block(const std::string& text) {
  if (vpc::parse_cidr(text)) return true;
  const auto slash = text.find('/');
  if (slash == std::string::npos) return false;
  in6_addr address;
  const auto length = core::parse_int(text.substr(slash + 1));
  return length && *length >= 0 && *length <= 128 &&
         inet_pton(AF_INET6, text.substr(0, slash).c_str(), &address) == 1;
}

constexpr std::string_view kToken = "!#$%&'*+.^_`|~-";
constexpr std::string_view kPathCharacters = "_-.$/~\"'@:+&,;=()%*?!#[]|";
constexpr std::string_view kHostCharacters = "-.*?:_";

void check_header(const RuleCondition& condition, Tally& tally) {
  const auto name = condition.HttpHeaderConfig ? condition.HttpHeaderConfig->HttpHeaderName.value_or("") : "";
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || kToken.find(c) != std::string_view::npos;
  };
  if (name.empty() || name.size() > 40 || !std::all_of(name.begin(), name.end(), good)) {
    invalid(fmt::format("'{}' is not a header's name of 1 to 40 characters", name));
  }
  if (core::equal_ignoring_case(name, "host")) invalid("Use a host-header condition for the Host header");
  for (const auto& value : values_of(condition, condition.HttpHeaderConfig)) {
    if (value.empty() || value.size() > 128) {
      invalid(
          fmt::format("Condition value '{}' of field 'http-header' must have 1 to 128 characters", value));
    }
    const auto printable = [](unsigned char c) { return c >= 32 && c < 127; };
    if (!std::all_of(value.begin(), value.end(), printable)) {
      invalid("Condition values of field 'http-header' have printable ASCII characters only");
    }
    ++tally.values;
    tally.wildcards += wildcards_in(value);
  }
}

void check_query(const RuleCondition& condition, Tally& tally) {
  if (!condition.QueryStringConfig || !condition.QueryStringConfig->Values ||
      condition.QueryStringConfig->Values->empty()) {
    invalid("A condition value must be specified for field 'query-string'");
  }
  for (const auto& pair : *condition.QueryStringConfig->Values) {
    const auto check = [&](const std::string& text) {
      const auto printable = [](unsigned char c) { return c > 32 && c < 127; };
      if (text.size() > 128 || !std::all_of(text.begin(), text.end(), printable)) {
        invalid(fmt::format("'{}' is not a query string's key or value of at most 128 characters", text));
      }
      tally.wildcards += wildcards_in(text);
    };
    if (pair.Value.value_or("").empty()) invalid("A query-string condition needs a value");
    check(pair.Key.value_or(""));
    check(*pair.Value);
    ++tally.values;
  }
}

void check_method(const RuleCondition& condition, Tally& tally) {
  for (const auto& value : values_of(condition, condition.HttpRequestMethodConfig)) {
    const auto good = [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; };
    if (value.empty() || value.size() > 40 || !std::all_of(value.begin(), value.end(), good)) {
      invalid(
          fmt::format("'{}' is not a request method: 1 to 40 characters of A-Z, hyphen, underscore", value));
    }
    ++tally.values;
  }
}

void check_condition(const RuleCondition& condition, Tally& tally) {
  const auto field = condition.Field.value_or("");
  const auto has_regex = [](const auto& config) {
    return config && config->RegexValues && !config->RegexValues->empty();
  };
  if ((condition.RegexValues && !condition.RegexValues->empty()) || has_regex(condition.HostHeaderConfig) ||
      has_regex(condition.PathPatternConfig) || has_regex(condition.HttpHeaderConfig)) {
    invalid("Regular expressions in conditions are not supported: use Values with the wildcards * and ?");
  }
  if (field == "host-header") {
    for (const auto& value : values_of(condition, condition.HostHeaderConfig)) {
      check_value(value, kHostCharacters, 128, field, tally);
    }
  } else if (field == "path-pattern") {
    for (const auto& value : values_of(condition, condition.PathPatternConfig)) {
      check_value(value, kPathCharacters, 128, field, tally);
    }
  } else if (field == "http-request-method") {
    check_method(condition, tally);
  } else if (field == "source-ip") {
    for (const auto& value : values_of(condition, condition.SourceIpConfig)) {
      if (!is_block(value))
        invalid(fmt::format("The source IP '{}' is not a CIDR block like 192.0.2.0/24", value));
      ++tally.values;
    }
  } else if (field == "http-header") {
    check_header(condition, tally);
  } else if (field == "query-string") {
    check_query(condition, tally);
  } else {
    invalid(
        fmt::format("Condition field '{}' must be one of '[path-pattern, host-header, http-header, "
                    "http-request-method, query-string, source-ip]'",
                    field));
  }
}

void check_forward(Action& action) {
  if (!action.ForwardConfig) {
    if (!action.TargetGroupArn) invalid("A target group ARN must be specified for a forward action");
    auto& tuple = action.ForwardConfig.emplace().TargetGroups.emplace().emplace_back();
    tuple.TargetGroupArn = action.TargetGroupArn;
    tuple.Weight = 1;
    action.ForwardConfig->TargetGroupStickinessConfig.emplace().Enabled = false;
    return;
  }
  auto& groups = action.ForwardConfig->TargetGroups;
  if (!groups || groups->empty()) invalid("A forward action needs 1 to 5 target groups");
  if (groups->size() > static_cast<std::size_t>(kMostGroupsInForward)) {
    throw TooManyTargetGroupsException("A forward action can have at most 5 target groups");
  }
  std::map<std::string, int> seen;
  for (auto& tuple : *groups) {
    if (!tuple.TargetGroupArn) invalid("A target group ARN must be specified for a forward action");
    if (!tuple.Weight) tuple.Weight = 1;
    if (*tuple.Weight < 0 || *tuple.Weight > 999) {
      invalid(fmt::format("Target group weight {} must be 0 to 999", *tuple.Weight));
    }
    if (++seen[*tuple.TargetGroupArn] > 1) invalid("A target group can be named once in a forward action");
  }
  if (action.TargetGroupArn &&
      (groups->size() != 1 || groups->front().TargetGroupArn != action.TargetGroupArn)) {
    invalid("TargetGroupArn and ForwardConfig of an action must name the same target group");
  }
  if (groups->size() == 1) action.TargetGroupArn = groups->front().TargetGroupArn;
  auto& sticky = action.ForwardConfig->TargetGroupStickinessConfig;
  if (!sticky) sticky.emplace().Enabled = false;
  if (sticky->Enabled.value_or(false)) {
    if (!sticky->DurationSeconds) invalid("Target group stickiness needs a duration");
    if (*sticky->DurationSeconds < 1 || *sticky->DurationSeconds > 604800) {
      invalid("Target group stickiness lasts 1 to 604800 seconds");
    }
  }
}

void check_redirect(Action& action) {
  if (!action.RedirectConfig) invalid("A redirect action needs its RedirectConfig");
  auto& config = *action.RedirectConfig;
  config.Protocol = config.Protocol.value_or("#{protocol}");
  config.Host = config.Host.value_or("#{host}");
  config.Port = config.Port.value_or("#{port}");
  config.Path = config.Path.value_or("/#{path}");
  config.Query = config.Query.value_or("#{query}");
  if (config.Protocol != "HTTP" && config.Protocol != "HTTPS" && config.Protocol != "#{protocol}") {
    invalid(fmt::format("Redirect protocol '{}' must be HTTP, HTTPS or #{{protocol}}", *config.Protocol));
  }
  const auto port = core::parse_int(*config.Port);
  if (config.Port != "#{port}" && (!port || *port < 1 || *port > 65535)) {
    invalid(fmt::format("Redirect port '{}' must be 1 to 65535 or #{{port}}", *config.Port));
  }
  if (!config.Path->starts_with('/')) invalid("A redirect's path must begin with '/'");
  const auto printable = [](const std::string& text) {
    return text.size() <= 128 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 32 && c < 127; });
  };
  if (!printable(*config.Path) || !printable(*config.Query) || !printable(*config.Host) ||
      config.Host->empty()) {
    invalid("A redirect's host, path and query have at most 128 printable characters");
  }
  if (config.StatusCode != "HTTP_301" && config.StatusCode != "HTTP_302") {
    invalid(fmt::format("Redirect status code '{}' must be HTTP_301 or HTTP_302", config.StatusCode));
  }
  if (config.Protocol == "#{protocol}" && config.Host == "#{host}" && config.Port == "#{port}" &&
      config.Path == "/#{path}") {
    throw InvalidLoadBalancerActionException(
        "The redirect configuration is not valid because it creates a loop.");
  }
}

void check_fixed(const Action& action) {
  if (!action.FixedResponseConfig) invalid("A fixed-response action needs its FixedResponseConfig");
  const auto& config = *action.FixedResponseConfig;
  const auto& code = config.StatusCode;
  const bool three = code.size() == 3 && std::all_of(code.begin(), code.end(), ::isdigit);
  if (!three || (code[0] != '2' && code[0] != '4' && code[0] != '5')) {
    invalid(fmt::format("Fixed response code '{}' must be 2XX, 4XX or 5XX", code));
  }
  if (config.MessageBody.value_or("").size() > 1024)
    invalid("A fixed response's body has at most 1024 characters");
  static constexpr std::string_view kTypes[] = {"text/plain", "text/css", "text/html",
                                                "application/javascript", "application/json"};
  const auto type = config.ContentType.value_or("text/plain");
  if (std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes)) {
    invalid(
        fmt::format("Fixed response content type '{}' must be one of text/plain, text/css, text/html, "
                    "application/javascript, application/json",
                    type));
  }
}

}  // namespace

void check_conditions(const std::vector<RuleCondition>& conditions) {
  if (conditions.empty()) invalid("A condition must be specified");
  Tally tally;
  std::map<std::string, int> seen;
  for (const auto& condition : conditions) {
    check_condition(condition, tally);
    const auto field = condition.Field.value_or("");
    if (++seen[field] > 1 && field != "http-header" && field != "query-string") {
      invalid(fmt::format("A rule can have at most one '{}' condition", field));
    }
  }
  if (tally.values > kMostConditionValues) {
    invalid(fmt::format("Rules can have at most {} condition values", kMostConditionValues));
  }
  if (tally.wildcards > kMostWildcards)
    invalid(fmt::format("Rules can have at most {} wildcards", kMostWildcards));
}

std::vector<RuleCondition> shown_conditions(std::vector<RuleCondition> conditions) {
  for (auto& condition : conditions) {
    const auto field = condition.Field.value_or("");
    const auto fill = [&](auto& config) {
      if (!config && condition.Values) config.emplace().Values = condition.Values;
      if (config && !condition.Values) condition.Values = config->Values;
    };
    if (field == "host-header") fill(condition.HostHeaderConfig);
    if (field == "path-pattern") fill(condition.PathPatternConfig);
    if (field == "http-request-method") fill(condition.HttpRequestMethodConfig);
    if (field == "source-ip") fill(condition.SourceIpConfig);
  }
  return conditions;
}

std::vector<Action> checked_actions(std::vector<Action> actions) {
  if (actions.empty()) invalid("An action must be specified");
  if (actions.size() > 1)
    throw TooManyActionsException("A rule can have one forward, redirect or fixed-response action");
  auto& action = actions.front();
  if (!action.Order) action.Order = 1;
  if (action.Type == "forward") {
    check_forward(action);
  } else if (action.Type == "redirect") {
    check_redirect(action);
  } else if (action.Type == "fixed-response") {
    check_fixed(action);
  } else {
    throw InvalidLoadBalancerActionException(
        fmt::format("Action type '{}' needs an HTTPS listener, which needs a certificate", action.Type));
  }
  return actions;
}

}  // namespace sampan::elb
