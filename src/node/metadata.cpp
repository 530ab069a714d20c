#include "node/metadata.h"

#include <boost/json.hpp>

#include "core/encoding.h"
#include "core/text.h"

namespace sampan::node {
namespace {

namespace json = boost::json;

std::string_view status_name(Stage stage) {
  switch (stage) {
    case Stage::kWaiting:
    case Stage::kPulling:
      return "NONE";
    case Stage::kPulled:
      return "PULLED";
    case Stage::kStarting:
      return "CREATED";
    case Stage::kRunning:
      return "RUNNING";
    case Stage::kStopped:
      return "STOPPED";
  }
  return "NONE";
}

std::string_view phase_name(TaskPhase phase) {
  switch (phase) {
    case TaskPhase::kPending:
      return "PENDING";
    case TaskPhase::kRunning:
      return "RUNNING";
    case TaskPhase::kStopping:
      return "STOPPING";
    case TaskPhase::kStopped:
      return "STOPPED";
  }
  return "PENDING";
}

std::string_view health_name(Health health) {
  if (health == Health::kHealthy) return "HEALTHY";
  return health == Health::kUnhealthy ? "UNHEALTHY" : "UNKNOWN";
}

void put_time(json::object& to, std::string_view name, const std::optional<core::TimePoint>& time) {
  if (time) to[name] = core::to_iso8601(*time);
}

// Docker's name of an ECS container; its last part is made from the id, so that it stays the same.
std::string docker_name(const TaskAssignment& task, const std::string& container,
                        const std::string& runtime_id) {
  return fmt::format("ecs-{}-{}-{}-{}", task.family, task.revision, container,
                     core::sha256_hex(runtime_id).substr(0, 20));
}

json::object labels_of(const TaskAssignment& task, const ContainerAssignment& container) {
  json::object labels;
  for (const auto& [name, value] : container.labels) labels[name] = value;
  labels["com.amazonaws.ecs.cluster"] = task.cluster;
  labels["com.amazonaws.ecs.container-name"] = container.name;
  labels["com.amazonaws.ecs.task-arn"] = task.task_arn;
  labels["com.amazonaws.ecs.task-definition-family"] = task.family;
  labels["com.amazonaws.ecs.task-definition-version"] = std::to_string(task.revision);
  return labels;
}

json::array networks_of(const NetworkAssignment& network) {
  json::object one;
  one["NetworkMode"] = network.mode;
  if (!network.address.empty()) {
    one["IPv4Addresses"] = json::array{json::string(network.address)};
    one["AttachmentIndex"] = 0;
    one["MACAddress"] = network.mac;
    one["IPv4SubnetCIDRBlock"] = network.subnet_cidr;
    one["PrivateDNSName"] = network.private_dns_name;
    one["SubnetGatewayIpv4Address"] = fmt::format("{}/{}", network.gateway, network.prefix_length);
  }
  json::array list;
  list.push_back(std::move(one));
  return list;
}

json::object container_object(const Intent& intent, const Record& record, std::size_t index) {
  const auto& task = intent.assignment;
  const auto& container = task.containers[index];
  const auto& seen = record.containers[index];
  const auto& id = intent.runtime_ids[index];
  json::object object;
  object["DockerId"] = id;
  object["Name"] = container.name;
  object["DockerName"] = docker_name(task, container.name, id);
  object["Image"] = container.image;
  object["ImageID"] = seen.image_id;
  json::array ports;
  for (const auto& port : container.ports) {
    ports.push_back(
        {{"ContainerPort", port.container_port}, {"Protocol", port.protocol}, {"HostPort", port.host_port}});
  }
  if (!ports.empty()) object["Ports"] = std::move(ports);
  object["Labels"] = labels_of(task, container);
  object["DesiredStatus"] = record.stop_wanted ? "STOPPED" : "RUNNING";
  object["KnownStatus"] = status_name(seen.facts.stage);
  if (seen.facts.exit_code) object["ExitCode"] = *seen.facts.exit_code;
  object["Limits"] = {{"CPU", container.cpu_units}, {"Memory", container.memory_mib.value_or(0)}};
  put_time(object, "CreatedAt", seen.facts.started_at);
  put_time(object, "StartedAt", seen.facts.started_at);
  put_time(object, "FinishedAt", seen.facts.finished_at);
  object["Type"] = "NORMAL";
  if (container.health_check) {
    json::object health;
    health["status"] = health_name(seen.facts.health.status);
    put_time(health, "statusSince", seen.facts.health.checked_at);
    object["Health"] = std::move(health);
  }
  object["LogDriver"] = container.log.driver.empty() ? "json-file" : container.log.driver;
  if (!container.log.options.empty()) {
    json::object options;
    for (const auto& [name, value] : container.log.options) options[name] = value;
    object["LogOptions"] = std::move(options);
  }
  object["ContainerARN"] = container.arn;
  object["Networks"] = networks_of(task.network);
  object["Snapshotter"] = "overlayfs";
  object["RestartCount"] = 0;
  return object;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> injected_environment(const Intent& intent,
                                                                      std::size_t container,
                                                                      bool credentials) {
  const auto& task = intent.assignment;
  const auto& id = intent.runtime_ids[container];
  bool fargate = task.launch_type == "FARGATE";
  std::vector<std::pair<std::string, std::string>> added = {
      {"ECS_CONTAINER_METADATA_URI", fmt::format("{}/v3/{}", kEndpoint, id)},
      {"ECS_CONTAINER_METADATA_URI_V4", fmt::format("{}/v4/{}", kEndpoint, id)},
      {"ECS_AGENT_URI", fmt::format("{}/api/{}", kEndpoint, id)},
      {"AWS_EXECUTION_ENV", fargate ? "AWS_ECS_FARGATE" : "AWS_ECS_EC2"},
      {"AWS_REGION", task.region},
      {"AWS_DEFAULT_REGION", task.region}};
  if (credentials && !task.task_role_arn.empty()) {
    added.emplace_back("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/" + intent.credentials_id);
  }
  return added;
}

std::optional<MetadataQuery> parse_metadata_path(std::string_view path) {
  auto parts = core::split(path, '/');  // "", "v4", id, rest…
  if (parts.size() > 3 && parts.back().empty()) parts.pop_back();
  if (parts.size() < 3 || !parts[0].empty() || parts[2].empty()) return std::nullopt;
  if (parts[1] == "v2" && parts[2] == "credentials" && parts.size() == 4) {
    return MetadataQuery{MetadataKind::kCredentials, parts[3]};
  }
  if (parts[1] != "v4" && parts[1] != "v3") return std::nullopt;
  std::string rest;
  for (std::size_t i = 3; i < parts.size(); ++i) rest += "/" + parts[i];
  static const std::map<std::string, MetadataKind> kinds = {{"", MetadataKind::kContainer},
                                                            {"/task", MetadataKind::kTask},
                                                            {"/taskWithTags", MetadataKind::kTaskWithTags},
                                                            {"/stats", MetadataKind::kStats},
                                                            {"/task/stats", MetadataKind::kTaskStats}};
  auto found = kinds.find(rest);
  if (found == kinds.end()) return std::nullopt;
  return MetadataQuery{found->second, parts[2]};
}

std::string render_container_metadata(const Intent& intent, const Record& record, std::size_t container) {
  return json::serialize(container_object(intent, record, container));
}

std::string render_task_metadata(const Intent& intent, const Record& record, core::TimePoint now,
                                 bool with_tags) {
  const auto& task = intent.assignment;
  json::object object;
  object["Cluster"] = task.cluster;
  object["TaskARN"] = task.task_arn;
  object["Family"] = task.family;
  object["Revision"] = std::to_string(task.revision);
  object["DesiredStatus"] = record.stop_wanted ? "STOPPED" : "RUNNING";
  object["KnownStatus"] = phase_name(record.phase);
  json::array containers;
  for (std::size_t i = 0; i < record.containers.size(); ++i)
    containers.push_back(container_object(intent, record, i));
  object["Containers"] = std::move(containers);
  json::object limits;
  if (task.cpu_units) limits["CPU"] = task.cpu_units / 1024.0;
  if (task.memory_mib) limits["Memory"] = task.memory_mib;
  if (!limits.empty()) object["Limits"] = std::move(limits);
  put_time(object, "PullStartedAt", record.pull_started_at);
  put_time(object, "PullStoppedAt", record.pull_stopped_at);
  put_time(object, "ExecutionStoppedAt", record.execution_stopped_at);
  object["AvailabilityZone"] = task.availability_zone;
  object["LaunchType"] = task.launch_type;
  object["VPCID"] = task.network.vpc_id;
  if (!task.service.empty()) object["ServiceName"] = task.service;
  if (with_tags && !task.tags.empty()) {
    json::object tags;
    for (const auto& [name, value] : task.tags) tags[name] = value;
    object["TaskTags"] = std::move(tags);
  }
  object["ClockDrift"] = {{"ClockErrorBound", 0.0},
                          {"ReferenceTimestamp", json::string(core::to_iso8601(now))},
                          {"ClockSynchronizationStatus", "SYNCHRONIZED"}};
  object["EphemeralStorageMetrics"] = {{"Reserved", task.ephemeral_storage_gib * 1024}};
  object["FaultInjectionEnabled"] = false;
  return json::serialize(object);
}

std::string render_stats(const std::string& id, const std::string& name, const runtime::CgroupUsage& usage,
                         const InterfaceUsage& network, core::TimePoint now) {
  json::object object;
  object["read"] = core::to_iso8601(now);
  object["id"] = id;
  object["name"] = "/" + name;
  object["pids_stats"] = {{"current", usage.pids}};
  object["cpu_stats"] = {{"cpu_usage", {{"total_usage", usage.cpu_nanoseconds}}}, {"online_cpus", 1}};
  object["memory_stats"] = {{"usage", usage.memory_bytes},
                            {"max_usage", usage.memory_peak_bytes},
                            {"limit", usage.memory_limit_bytes},
                            {"stats", {{"inactive_file", usage.memory_cache_bytes}}}};
  object["networks"] = {{"eth0",
                         {{"rx_bytes", network.received_bytes},
                          {"rx_packets", network.received_packets},
                          {"tx_bytes", network.sent_bytes},
                          {"tx_packets", network.sent_packets}}}};
  return json::serialize(object);
}

std::string render_task_stats(const std::vector<std::pair<std::string, std::string>>& stats_by_id) {
  json::object object;
  for (const auto& [id, text] : stats_by_id)
    object[id] = text.empty() ? json::value(nullptr) : json::parse(text);
  return json::serialize(object);
}

}  // namespace sampan::node
