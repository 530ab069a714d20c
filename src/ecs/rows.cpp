#include "ecs/rows.h"

#include <boost/json.hpp>

namespace sampan::store {
namespace {

namespace json = boost::json;
using ecs::DeploymentRow;

std::int64_t millis(core::TimePoint time) {
  return time.time_since_epoch().count();
}
core::TimePoint time_of(const json::value& value) {
  return core::TimePoint(core::Millis(value.to_number<std::int64_t>()));
}

json::value optional_millis(const std::optional<core::TimePoint>& time) {
  return time ? json::value(millis(*time)) : json::value();
}
std::optional<core::TimePoint> optional_time(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  if (!found || found->is_null()) return std::nullopt;
  return time_of(*found);
}

std::string text(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}
template <class N = std::int64_t>
N number(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found && found->is_number() ? found->to_number<N>() : N{};
}
bool flag(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found && found->is_bool() && found->get_bool();
}
template <class T>
T plain(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found && !found->is_null() ? json::value_to<T>(*found) : T{};
}

template <class T>
json::array shapes(const std::vector<T>& values) {
  json::array array;
  for (const auto& value : values) array.push_back(aws::to_json(value));
  return array;
}
template <class T>
std::vector<T> shapes_from(const json::object& object, std::string_view name) {
  std::vector<T> values;
  const auto* found = object.if_contains(name);
  if (!found || !found->is_array()) return values;
  for (const auto& value : found->get_array()) values.push_back(aws::from_json<T>(value));
  return values;
}

// {"shape":<first>, …rest}: the shape's own encoder writes it without a tree.
std::string with_shape(std::string shape, const json::object& rest) {
  std::string out = R"({"shape":)" + std::move(shape) + R"(,"row":)";
  out += json::serialize(rest);
  out += '}';
  return out;
}

json::object network_json(const node::NetworkAssignment& n) {
  return {{"mode", n.mode},
          {"eni", n.interface_id},
          {"attachment", n.attachment_id},
          {"mac", n.mac},
          {"address", n.address},
          {"prefix", n.prefix_length},
          {"gateway", n.gateway},
          {"vpc", n.vpc_id},
          {"vpc_cidr", n.vpc_cidr},
          {"subnet", n.subnet_id},
          {"subnet_cidr", n.subnet_cidr},
          {"dns", n.private_dns_name},
          {"groups", json::value_from(n.security_groups)}};
}
node::NetworkAssignment network_from(const json::object& o) {
  node::NetworkAssignment n;
  n.mode = text(o, "mode");
  n.interface_id = text(o, "eni");
  n.attachment_id = text(o, "attachment");
  n.mac = text(o, "mac");
  n.address = text(o, "address");
  n.prefix_length = number<int>(o, "prefix");
  n.gateway = text(o, "gateway");
  n.vpc_id = text(o, "vpc");
  n.vpc_cidr = text(o, "vpc_cidr");
  n.subnet_id = text(o, "subnet");
  n.subnet_cidr = text(o, "subnet_cidr");
  n.private_dns_name = text(o, "dns");
  n.security_groups = plain<std::vector<std::string>>(o, "groups");
  return n;
}

json::value deployment_json(const DeploymentRow& d) {
  json::object o{{"id", d.id},
                 {"definition", d.task_definition},
                 {"balancers", shapes(d.load_balancers)},
                 {"digests", json::value_from(d.digests)},
                 {"created", millis(d.created_at)},
                 {"updated", millis(d.updated_at)},
                 {"state", d.rollout_state},
                 {"reason", d.rollout_reason},
                 {"failed", d.failed_tasks},
                 {"revision", d.revision_arn},
                 {"record", d.record_arn},
                 {"rollback", d.rollback}};
  if (d.launch_type) o["launch_type"] = *d.launch_type;
  if (d.strategy) o["strategy"] = shapes(*d.strategy);
  if (d.platform_version) o["platform"] = *d.platform_version;
  if (d.network) o["network"] = aws::to_json(*d.network);
  return o;
}
DeploymentRow deployment_from(const json::value& value) {
  const auto& o = value.as_object();
  DeploymentRow d;
  d.id = text(o, "id");
  d.task_definition = text(o, "definition");
  d.load_balancers = shapes_from<api::ecs::LoadBalancer>(o, "balancers");
  d.digests = plain<std::map<std::string, std::string>>(o, "digests");
  d.created_at = time_of(o.at("created"));
  d.updated_at = time_of(o.at("updated"));
  d.rollout_state = text(o, "state");
  d.rollout_reason = text(o, "reason");
  d.failed_tasks = number<int>(o, "failed");
  d.revision_arn = text(o, "revision");
  d.record_arn = text(o, "record");
  d.rollback = flag(o, "rollback");
  if (o.contains("launch_type")) d.launch_type = text(o, "launch_type");
  if (o.contains("strategy")) d.strategy = shapes_from<api::ecs::CapacityProviderStrategyItem>(o, "strategy");
  if (o.contains("platform")) d.platform_version = text(o, "platform");
  if (const auto* network = o.if_contains("network")) {
    d.network = aws::from_json<api::ecs::NetworkConfiguration>(*network);
  }
  return d;
}

}  // namespace

std::string RowCodec<ecs::FamilyRow>::encode(const ecs::FamilyRow& row) {
  return std::to_string(row.last_revision);
}
ecs::FamilyRow RowCodec<ecs::FamilyRow>::decode(std::string_view value) {
  return {.last_revision = std::stoi(std::string(value))};
}

std::string RowCodec<ecs::DefinitionRow>::encode(const ecs::DefinitionRow& row) {
  json::object rest;
  if (!row.tags.empty()) rest["tags"] = shapes(row.tags);
  return with_shape(aws::json_encode(row.definition), rest);
}
ecs::DefinitionRow RowCodec<ecs::DefinitionRow>::decode(std::string_view value) {
  auto parsed = json::parse(value);
  return {.definition = aws::from_json<api::ecs::TaskDefinition>(parsed.at("shape")),
          .tags = shapes_from<ecs::Tag>(parsed.at("row").as_object(), "tags")};
}

std::string RowCodec<ecs::TaskRow>::encode(const ecs::TaskRow& row) {
  json::array targets;
  for (const auto& target : row.targets) {
    targets.push_back({{"group", target.group_arn}, {"container", target.container}, {"port", target.port}});
  }
  json::object rest{{"account", row.scope.account},
                    {"region", row.scope.region},
                    {"cluster", row.cluster},
                    {"id", row.id},
                    {"family", row.family},
                    {"revision", row.revision},
                    {"service", row.service},
                    {"deployment", row.deployment},
                    {"network", network_json(row.network)},
                    {"digests", json::value_from(row.digests)},
                    {"targets", std::move(targets)},
                    {"sequence", row.sequence},
                    {"registered", row.registered},
                    {"accounted", row.accounted},
                    {"healthy", optional_millis(row.healthy_at)},
                    {"cpu", row.reserved_cpu},
                    {"memory", row.reserved_memory},
                    {"ports", json::value_from(row.reserved_ports)}};
  return with_shape(aws::json_encode(row.task), rest);
}
ecs::TaskRow RowCodec<ecs::TaskRow>::decode(std::string_view value) {
  auto parsed = json::parse(value);
  const auto& o = parsed.at("row").as_object();
  ecs::TaskRow row;
  row.task = aws::from_json<api::ecs::Task>(parsed.at("shape"));
  row.scope = {text(o, "account"), text(o, "region")};
  row.cluster = text(o, "cluster");
  row.id = text(o, "id");
  row.family = text(o, "family");
  row.revision = number<int>(o, "revision");
  row.service = text(o, "service");
  row.deployment = text(o, "deployment");
  row.network = network_from(o.at("network").as_object());
  row.digests = plain<std::map<std::string, std::string>>(o, "digests");
  for (const auto& target : o.at("targets").as_array()) {
    const auto& t = target.as_object();
    row.targets.push_back({text(t, "group"), text(t, "container"), number<int>(t, "port")});
  }
  row.sequence = number<std::uint64_t>(o, "sequence");
  row.registered = flag(o, "registered");
  row.accounted = flag(o, "accounted");
  row.healthy_at = optional_time(o, "healthy");
  row.reserved_cpu = number<int>(o, "cpu");
  row.reserved_memory = number<int>(o, "memory");
  row.reserved_ports = plain<std::vector<int>>(o, "ports");
  return row;
}

std::string RowCodec<ecs::ServiceRow>::encode(const ecs::ServiceRow& row) {
  json::array deployments;
  for (const auto& deployment : row.deployments) deployments.push_back(deployment_json(deployment));
  json::object rest{{"account", row.scope.account},
                    {"region", row.scope.region},
                    {"cluster", row.cluster},
                    {"name", row.name},
                    {"incarnation", row.incarnation},
                    {"deployments", std::move(deployments)},
                    {"rounds", row.start_rounds},
                    {"next_start", optional_millis(row.next_start)},
                    {"steady", row.steady},
                    {"trouble", row.last_trouble},
                    {"trouble_at", millis(row.last_trouble_at)},
                    {"events", row.events},
                    {"inactive", optional_millis(row.inactive_at)},
                    {"token", row.client_token}};
  if (row.last_completed) rest["completed"] = deployment_json(*row.last_completed);
  return with_shape(aws::json_encode(row.service), rest);
}
ecs::ServiceRow RowCodec<ecs::ServiceRow>::decode(std::string_view value) {
  auto parsed = json::parse(value);
  const auto& o = parsed.at("row").as_object();
  ecs::ServiceRow row;
  row.service = aws::from_json<api::ecs::Service>(parsed.at("shape"));
  row.scope = {text(o, "account"), text(o, "region")};
  row.cluster = text(o, "cluster");
  row.name = text(o, "name");
  row.incarnation = text(o, "incarnation");
  for (const auto& deployment : o.at("deployments").as_array()) {
    row.deployments.push_back(deployment_from(deployment));
  }
  row.start_rounds = number<int>(o, "rounds");
  row.next_start = optional_time(o, "next_start");
  row.steady = flag(o, "steady");
  row.last_trouble = text(o, "trouble");
  row.last_trouble_at = time_of(o.at("trouble_at"));
  row.events = number(o, "events");
  row.inactive_at = optional_time(o, "inactive");
  row.client_token = text(o, "token");
  if (const auto* completed = o.if_contains("completed")) row.last_completed = deployment_from(*completed);
  return row;
}

std::string RowCodec<ecs::TokenRow>::encode(const ecs::TokenRow& row) {
  return json::serialize(json::object{{"fingerprint", row.fingerprint},
                                      {"tasks", json::value_from(row.tasks)},
                                      {"made_at", millis(row.made_at)}});
}
ecs::TokenRow RowCodec<ecs::TokenRow>::decode(std::string_view value) {
  auto parsed = json::parse(value);
  const auto& o = parsed.as_object();
  return {.fingerprint = text(o, "fingerprint"),
          .tasks = plain<std::vector<std::string>>(o, "tasks"),
          .made_at = time_of(o.at("made_at"))};
}

}  // namespace sampan::store
