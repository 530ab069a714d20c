#include "elb/attributes.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <vector>

#include "aws/fault.h"
#include "core/text.h"

namespace sampan::elb {
namespace {

struct Rule {
  std::string_view key;
  std::string_view initial;
  std::string_view allowed;  // "a|b|c", "1-4000" (a number), "0,30-900", "" (any text)
};

constexpr std::string_view kFlag = "true|false";

constexpr Rule kBalancer[] = {
    {"access_logs.s3.bucket", "", ""},
    {"access_logs.s3.enabled", "false", "false"},
    {"access_logs.s3.prefix", "", ""},
    {"client_keep_alive.seconds", "3600", "60-604800"},
    {"connection_logs.s3.bucket", "", ""},
    {"connection_logs.s3.enabled", "false", "false"},
    {"connection_logs.s3.prefix", "", ""},
    {"deletion_protection.enabled", "false", kFlag},
    {"health_check_logs.s3.bucket", "", ""},
    {"health_check_logs.s3.enabled", "false", "false"},
    {"health_check_logs.s3.prefix", "", ""},
    {"idle_timeout.timeout_seconds", "60", "1-4000"},
    {"ipv6.deny_all_igw_traffic", "false", kFlag},
    {"load_balancing.cross_zone.enabled", "true", "true"},
    {"routing.http.desync_mitigation_mode", "defensive", "monitor|defensive|strictest"},
    {"routing.http.drop_invalid_header_fields.enabled", "false", kFlag},
    {"routing.http.preserve_host_header.enabled", "false", kFlag},
    {"routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", kFlag},
    {"routing.http.xff_client_port.enabled", "false", kFlag},
    {"routing.http.xff_header_processing.mode", "append", "append|preserve|remove"},
    {"routing.http2.enabled", "true", kFlag},
    {"waf.fail_open.enabled", "false", kFlag},
    {"zonal_shift.config.enabled", "false", kFlag},
};

constexpr Rule kListener[] = {
    {"routing.http.response.server.enabled", "true", kFlag},
    {"routing.http.response.strict_transport_security.header_value", "", ""},
    {"routing.http.response.access_control_allow_origin.header_value", "", ""},
    {"routing.http.response.access_control_allow_methods.header_value", "", ""},
    {"routing.http.response.access_control_allow_headers.header_value", "", ""},
    {"routing.http.response.access_control_allow_credentials.header_value", "", ""},
    {"routing.http.response.access_control_expose_headers.header_value", "", ""},
    {"routing.http.response.access_control_max_age.header_value", "", ""},
    {"routing.http.response.content_security_policy.header_value", "", ""},
    {"routing.http.response.x_content_type_options.header_value", "", ""},
    {"routing.http.response.x_frame_options.header_value", "", ""},
};

constexpr Rule kGroup[] = {
    {"deregistration_delay.timeout_seconds", "300", "0-3600"},
    {"load_balancing.algorithm.anomaly_mitigation", "off", "off|on"},
    {"load_balancing.algorithm.type", "round_robin",
     "round_robin|least_outstanding_requests|weighted_random"},
    {"load_balancing.cross_zone.enabled", "use_load_balancer_configuration",
     "true|false|use_load_balancer_configuration"},
    {"slow_start.duration_seconds", "0", "0,30-900"},
    {"stickiness.app_cookie.cookie_name", "", ""},
    {"stickiness.app_cookie.duration_seconds", "86400", "1-604800"},
    {"stickiness.enabled", "false", kFlag},
    {"stickiness.lb_cookie.duration_seconds", "86400", "1-604800"},
    {"stickiness.type", "lb_cookie", "lb_cookie|app_cookie"},
    {"target_group_health.dns_failover.minimum_healthy_targets.count", "1", "off|1-1000"},
    {"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", "off|1-100"},
    {"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", "1-1000"},
    {"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", "off|1-100"},
};

std::span<const Rule> rules_of(AttributeOwner owner) {
  switch (owner) {
    case AttributeOwner::kBalancer:
      return kBalancer;
    case AttributeOwner::kListener:
      return kListener;
    case AttributeOwner::kGroup:
      return kGroup;
  }
  return {};
}

bool in_range(std::string_view range, std::string_view value) {
  const auto dash = range.find('-');
  const auto given = core::parse_int(value);
  if (dash == std::string_view::npos || !given) return range == value;
  const auto least = core::parse_int(range.substr(0, dash));
  const auto most = core::parse_int(range.substr(dash + 1));
  return least && most && *given >= *least && *given <= *most;
}

bool allowed(const Rule& rule, std::string_view value) {
  if (rule.allowed.empty()) return value.size() <= 1024;
  for (const auto& choice :
       core::split(rule.allowed, rule.allowed.find('|') == std::string_view::npos ? ',' : '|')) {
    if (in_range(choice, value)) return true;
  }
  return false;
}

[[noreturn]] void invalid(const std::string& message) {
  throw aws::Fault("ValidationError", 400, message);
}

}  // namespace

Attributes default_attributes(AttributeOwner owner) {
  Attributes attributes;
  for (const auto& rule : rules_of(owner)) attributes.emplace(rule.key, rule.initial);
  return attributes;
}

void check_attribute(AttributeOwner owner, const std::string& key, const std::string& value) {
  const auto rules = rules_of(owner);
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.key == key; });
  if (rule == rules.end()) {
    invalid(fmt::format("{} attribute key '{}' is not recognized",
                        owner == AttributeOwner::kGroup      ? "Target group"
                        : owner == AttributeOwner::kListener ? "Listener"
                                                             : "Load balancer",
                        key));
  }
  if (!allowed(*rule, value)) {
    if (rule->allowed == "false")
      invalid(fmt::format("'{}' cannot be enabled: Sampan keeps no such logs", key));
    invalid(fmt::format("'{}' must be {}, but is '{}'", key, rule->allowed, value));
  }
}

void check_group_attributes(const Attributes& attributes) {
  const auto algorithm = text(attributes, "load_balancing.algorithm.type");
  if (number(attributes, "slow_start.duration_seconds") > 0 && algorithm != "round_robin") {
    invalid(fmt::format("Slow start cannot be used with the algorithm '{}'", algorithm));
  }
  if (text(attributes, "load_balancing.algorithm.anomaly_mitigation") == "on" &&
      algorithm != "weighted_random") {
    invalid("Anomaly mitigation can only be used with the algorithm 'weighted_random'");
  }
  if (!flag(attributes, "stickiness.enabled") || text(attributes, "stickiness.type") != "app_cookie") return;
  const auto cookie = text(attributes, "stickiness.app_cookie.cookie_name");
  static constexpr std::string_view kToken =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+.^_`|~-";
  if (cookie.empty() || cookie.size() > 256 || cookie.find_first_not_of(kToken) != std::string::npos) {
    invalid("'stickiness.app_cookie.cookie_name' must name the application's cookie");
  }
  for (const auto* own : {"AWSALB", "AWSALBAPP", "AWSALBTG"}) {
    if (cookie == own) invalid(fmt::format("Cookie name '{}' is reserved by the load balancer", cookie));
  }
}

int number(const Attributes& attributes, std::string_view key) {
  return static_cast<int>(core::parse_int(text(attributes, key)).value_or(0));
}

bool flag(const Attributes& attributes, std::string_view key) {
  return text(attributes, key) == "true";
}

std::string text(const Attributes& attributes, std::string_view key) {
  const auto found = attributes.find(std::string(key));
  return found == attributes.end() ? std::string() : found->second;
}

}  // namespace sampan::elb
