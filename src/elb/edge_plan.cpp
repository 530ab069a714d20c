#include "elb/edge_plan.h"

#include <algorithm>

#include "core/text.h"
#include "elb/names.h"

namespace sampan::elb {
namespace {

using api::elbv2::Action;

std::vector<std::string> values_or(const std::optional<std::vector<std::string>>& own,
                                   const std::optional<std::vector<std::string>>& plain) {
  if (own && !own->empty()) return *own;
  return plain.value_or(std::vector<std::string>{});
}

Condition to_condition(const api::elbv2::RuleCondition& from) {
  using Field = Condition::Field;
  Condition condition;
  const auto field = from.Field.value_or("");
  const auto values = [&](const auto& config) {
    return values_or(config ? config->Values : std::nullopt, from.Values);
  };
  if (field == "host-header") {
    condition.field = Field::kHost;
    condition.values = values(from.HostHeaderConfig);
  } else if (field == "path-pattern") {
    condition.field = Field::kPath;
    condition.values = values(from.PathPatternConfig);
  } else if (field == "http-request-method") {
    condition.field = Field::kMethod;
    condition.values = values(from.HttpRequestMethodConfig);
  } else if (field == "source-ip") {
    condition.field = Field::kSourceIp;
    condition.values = values(from.SourceIpConfig);
  } else if (field == "http-header") {
    condition.field = Field::kHeader;
    condition.values = values(from.HttpHeaderConfig);
    if (from.HttpHeaderConfig) condition.header = from.HttpHeaderConfig->HttpHeaderName.value_or("");
  } else {
    condition.field = Field::kQuery;
    if (from.QueryStringConfig && from.QueryStringConfig->Values) {
      for (const auto& pair : *from.QueryStringConfig->Values) {
        condition.queries.emplace_back(pair.Key.value_or(""), pair.Value.value_or(""));
      }
    }
  }
  return condition;
}

Forward to_forward(const Action& action) {
  Forward forward;
  if (!action.ForwardConfig || !action.ForwardConfig->TargetGroups) {
    forward.backends.push_back({backend_name(action.TargetGroupArn.value_or("")), 1});
    return forward;
  }
  for (const auto& tuple : *action.ForwardConfig->TargetGroups) {
    forward.backends.push_back({backend_name(tuple.TargetGroupArn.value_or("")), tuple.Weight.value_or(1)});
  }
  const auto& sticky = action.ForwardConfig->TargetGroupStickinessConfig;
  if (sticky && sticky->Enabled.value_or(false))
    forward.sticky_seconds = sticky->DurationSeconds.value_or(3600);
  return forward;
}

Redirect to_redirect(const api::elbv2::RedirectActionConfig& config) {
  Redirect redirect;
  redirect.status = config.StatusCode == "HTTP_301" ? 301 : 302;
  redirect.protocol = config.Protocol.value_or(redirect.protocol);
  redirect.host = config.Host.value_or(redirect.host);
  redirect.port = config.Port.value_or(redirect.port);
  redirect.path = config.Path.value_or(redirect.path);
  redirect.query = config.Query.value_or(redirect.query);
  return redirect;
}

ForwardedFor forwarded_for(const Attributes& attributes) {
  const auto mode = text(attributes, "routing.http.xff_header_processing.mode");
  if (mode == "preserve") return ForwardedFor::kPreserve;
  if (mode == "remove") return ForwardedFor::kRemove;
  return ForwardedFor::kAppend;
}

Site to_site(const Registry& registry, const BalancerRow& balancer, const ListenerRow& listener) {
  Site site;
  site.id = id_of(*balancer.shape.LoadBalancerArn);
  site.host = core::to_lower(balancer.shape.DNSName.value_or(""));
  site.forwarded_for = forwarded_for(balancer.attributes);
  site.client_port = flag(balancer.attributes, "routing.http.xff_client_port.enabled");
  site.idle = std::chrono::seconds(number(balancer.attributes, "idle_timeout.timeout_seconds"));
  site.client_keep_alive = std::chrono::seconds(number(balancer.attributes, "client_keep_alive.seconds"));
  for (const auto* rule : registry.rules_of(*listener.shape.ListenerArn)) {
    site.rules.push_back(
        {id_of(*rule->shape.RuleArn),
         to_conditions(rule->shape.Conditions.value_or(std::vector<api::elbv2::RuleCondition>{})),
         to_action(rule->shape.Actions.value_or(std::vector<Action>{}))});
  }
  site.rules.push_back({id_of(listener.default_rule_arn), {}, to_action(*listener.shape.DefaultActions)});
  return site;
}

std::string balance_of(const Attributes& attributes) {
  const auto algorithm = text(attributes, "load_balancing.algorithm.type");
  if (algorithm == "least_outstanding_requests") return "leastconn";
  if (algorithm == "weighted_random") return "random";
  return "roundrobin";
}

HealthCheck to_check(const api::elbv2::TargetGroup& group) {
  HealthCheck check;
  check.path = group.HealthCheckPath.value_or("/");
  if (group.Matcher) check.codes = group.Matcher->HttpCode.value_or("200");
  const auto port = core::parse_int(group.HealthCheckPort.value_or("traffic-port"));
  check.port = static_cast<int>(port.value_or(0));
  check.tls = group.HealthCheckProtocol == "HTTPS";
  check.interval = std::chrono::seconds(group.HealthCheckIntervalSeconds.value_or(30));
  check.timeout = std::chrono::seconds(group.HealthCheckTimeoutSeconds.value_or(5));
  check.healthy = group.HealthyThresholdCount.value_or(5);
  check.unhealthy = group.UnhealthyThresholdCount.value_or(2);
  return check;
}

Backend to_backend(const Registry& registry, const GroupRow& group, std::chrono::seconds idle,
                   const DutyOf& duty_of) {
  const auto& arn = *group.shape.TargetGroupArn;
  Backend backend;
  backend.name = backend_name(arn);
  backend.balance = balance_of(group.attributes);
  backend.tls = group.shape.Protocol == "HTTPS";
  backend.http2 = group.shape.ProtocolVersion == "HTTP2";
  backend.slow_start = std::chrono::seconds(number(group.attributes, "slow_start.duration_seconds"));
  if (flag(group.attributes, "stickiness.enabled")) {
    const bool application = text(group.attributes, "stickiness.type") == "app_cookie";
    backend.stickiness = application ? Stickiness::kApplicationCookie : Stickiness::kBalancerCookie;
    backend.cookie = text(group.attributes, "stickiness.app_cookie.cookie_name");
    backend.sticky_for =
        std::chrono::seconds(number(group.attributes, application ? "stickiness.app_cookie.duration_seconds"
                                                                  : "stickiness.lb_cookie.duration_seconds"));
  }
  backend.idle = idle;
  backend.check = to_check(group.shape);
  for (const auto* target : registry.targets_of(arn)) {
    const auto duty = target->draining() ? EdgeServer::Duty::kDraining
                                         : duty_of(target_key(arn, target->address, target->port));
    backend.servers.push_back(
        {server_name(arn, target->address, target->port), target->address, target->port, duty});
  }
  return backend;
}

}  // namespace

std::vector<Condition> to_conditions(const std::vector<api::elbv2::RuleCondition>& conditions) {
  std::vector<Condition> out;
  for (const auto& condition : conditions) out.push_back(to_condition(condition));
  return out;
}

RuleAction to_action(const std::vector<Action>& actions) {
  for (const auto& action : actions) {
    if (action.Type == "redirect" && action.RedirectConfig) return to_redirect(*action.RedirectConfig);
    if (action.Type == "fixed-response" && action.FixedResponseConfig) {
      const auto& config = *action.FixedResponseConfig;
      return FixedResponse{static_cast<int>(core::parse_int(config.StatusCode).value_or(500)),
                           config.ContentType.value_or(""), config.MessageBody.value_or("")};
    }
    if (action.Type == "forward") return to_forward(action);
  }
  return FixedResponse{503, "", ""};
}

EdgeModel plan_edge(const Registry& registry, const DutyOf& duty_of, const std::set<int>& unusable_ports) {
  std::map<int, EdgePort> ports;
  std::map<std::string, std::chrono::seconds> used;  // group -> the longest idle timeout of its users
  for (const auto& [arn, row] : registry.listeners) {
    const auto& listener = row.value;
    const auto* balancer = registry.balancers.find(listener.shape.LoadBalancerArn.value_or(""));
    const int number = listener.shape.Port.value_or(0);
    if (!balancer) continue;
    auto site = to_site(registry, *balancer, listener);
    const auto note = [&](const std::vector<std::string>& groups) {
      for (const auto& group : groups) used[group] = std::max(used[group], site.idle);
    };
    note(groups_in(listener.shape.DefaultActions));
    for (const auto* rule : registry.rules_of(arn)) note(groups_in(rule->shape.Actions));
    if (unusable_ports.contains(number)) continue;
    auto& port = ports[number];
    port.number = number;
    port.sites.push_back(std::move(site));
  }
  EdgeModel model;
  for (auto& [number, port] : ports) model.ports.push_back(std::move(port));
  for (const auto& [arn, idle] : used) {
    if (const auto* group = registry.groups.find(arn)) {
      model.backends.push_back(to_backend(registry, *group, idle, duty_of));
    }
  }
  std::sort(model.backends.begin(), model.backends.end(),
            [](const Backend& a, const Backend& b) { return a.name < b.name; });
  return model;
}

}  // namespace sampan::elb
