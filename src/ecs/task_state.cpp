#include "ecs/task_state.h"

#include <algorithm>
#include <array>

#include "ecs/faults.h"

namespace sampan::ecs {
namespace {

using api::ecs::Container;

constexpr std::array kOrder{"PROVISIONING", "PENDING",  "ACTIVATING",     "RUNNING",
                            "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"};
constexpr std::size_t kMaxReason = 1024;

std::size_t rank(std::string_view status) {
  return std::find(kOrder.begin(), kOrder.end(), status) - kOrder.begin();
}

std::string_view status_of(node::TaskPhase phase) {
  switch (phase) {
    case node::TaskPhase::kPending:
      return "PENDING";
    case node::TaskPhase::kRunning:
      return "RUNNING";
    case node::TaskPhase::kStopping:
      return "STOPPING";
    case node::TaskPhase::kStopped:
      return "STOPPED";
  }
  return "PENDING";
}
std::string_view status_of(node::ContainerStatus status) {
  switch (status) {
    case node::ContainerStatus::kPending:
      return "PENDING";
    case node::ContainerStatus::kRunning:
      return "RUNNING";
    case node::ContainerStatus::kStopped:
      return "STOPPED";
  }
  return "PENDING";
}
std::string_view health_of(node::Health health) {
  switch (health) {
    case node::Health::kUnknown:
      return "UNKNOWN";
    case node::Health::kHealthy:
      return "HEALTHY";
    case node::Health::kUnhealthy:
      return "UNHEALTHY";
  }
  return "UNKNOWN";
}

void raise_status(api::ecs::Task& task, std::string_view status) {
  if (rank(status) > rank(*task.lastStatus)) task.lastStatus = std::string(status);
}

void set_once(std::optional<core::TimePoint>& place, const std::optional<core::TimePoint>& time) {
  if (!place) place = time;
}

void take_container(Container& container, const node::ContainerReport& report, const TaskRow& row) {
  if (!report.runtime_id.empty()) container.runtimeId = report.runtime_id;
  if (!report.image_digest.empty()) container.imageDigest = report.image_digest;
  if (container.lastStatus != "STOPPED") container.lastStatus = std::string(status_of(report.status));
  if (report.exit_code) container.exitCode = report.exit_code;
  if (!report.reason.empty()) container.reason = report.reason.substr(0, kMaxReason);
  container.healthStatus = std::string(health_of(report.health));
  if (!row.network.address.empty()) {
    container.networkInterfaces = {
        {.attachmentId = row.network.attachment_id, .privateIpv4Address = row.network.address}};
  }
  if (report.bindings.empty()) return;
  container.networkBindings.emplace();
  for (const auto& binding : report.bindings) {
    container.networkBindings->push_back({.bindIP = binding.bind_ip,
                                          .containerPort = binding.container_port,
                                          .hostPort = binding.host_port,
                                          .protocol = binding.protocol});
  }
}

// Over the essential containers that have a health check; UNKNOWN when there is none.
std::string task_health(const TaskRow& row, const api::ecs::TaskDefinition* definition) {
  bool unknown = false, checked = false;
  for (const auto& container : *row.task.containers) {
    if (definition) {
      const auto& all = *definition->containerDefinitions;
      auto found =
          std::find_if(all.begin(), all.end(), [&](const auto& d) { return d.name == container.name; });
      if (found == all.end() || !found->essential.value_or(true) || !found->healthCheck) continue;
    }
    checked = true;
    if (container.healthStatus == "UNHEALTHY") return "UNHEALTHY";
    if (container.healthStatus != "HEALTHY") unknown = true;
  }
  return checked && !unknown ? "HEALTHY" : "UNKNOWN";
}

void set_attachments(api::ecs::Task& task, std::string_view status) {
  for (auto& attachment : *task.attachments) attachment.status = std::string(status);
}

// What holds of every task that has stopped.
void finish(TaskRow& row, core::TimePoint now) {
  auto& task = row.task;
  set_once(task.stoppingAt, now);
  set_once(task.stoppedAt, now);
  for (auto& container : *task.containers) container.lastStatus = "STOPPED";
  set_attachments(task, "DELETED");
  task.tags.reset();
  task.lastStatus = "STOPPED";
}

void set_reason(api::ecs::Task& task, std::string_view code, const std::string& reason) {
  if (task.stopCode) return;
  if (!code.empty()) task.stopCode = std::string(code);
  if (!reason.empty()) task.stoppedReason = reason.substr(0, kMaxReason);
}

}  // namespace

bool apply_report(TaskRow& row, const node::TaskReport& report, const api::ecs::TaskDefinition* definition,
                  core::TimePoint now) {
  if (row.stopped() || report.sequence <= row.sequence) return false;
  row.sequence = report.sequence;
  auto& task = row.task;
  task.connectivity = "CONNECTED";
  set_once(task.connectivityAt, report.connectivity_at ? report.connectivity_at : now);
  set_once(task.pullStartedAt, report.pull_started_at);
  set_once(task.pullStoppedAt, report.pull_stopped_at);
  set_once(task.startedAt, report.started_at);
  for (const auto& from : report.containers) {
    for (auto& container : *task.containers) {
      if (container.name == from.name) take_container(container, from, row);
    }
  }
  task.healthStatus = task_health(row, definition);
  set_attachments(task, "ATTACHED");
  raise_status(task, status_of(report.phase));
  if (report.phase == node::TaskPhase::kStopping || report.phase == node::TaskPhase::kStopped) {
    task.desiredStatus = "STOPPED";
    set_reason(task, report.stop_code, report.stopped_reason);
    set_once(task.stoppingAt, report.stopping_at ? report.stopping_at : now);
    set_once(task.executionStoppedAt, report.execution_stopped_at);
  }
  if (report.phase == node::TaskPhase::kStopped) {
    set_once(task.stoppedAt, report.stopped_at);
    finish(row, now);
  }
  task.version = task.version.value_or(0) + 1;
  return true;
}

bool want_stopped(TaskRow& row, std::string_view stop_code, const std::string& reason, core::TimePoint now) {
  auto& task = row.task;
  if (!row.wanted()) return false;
  task.desiredStatus = "STOPPED";
  set_reason(task, stop_code, reason);
  set_once(task.stoppingAt, now);
  if (task.lastStatus == "RUNNING" && !row.targets.empty()) raise_status(task, "DEACTIVATING");
  task.version = task.version.value_or(0) + 1;
  return true;
}

void end_without_node(TaskRow& row, std::string_view stop_code, const std::string& reason,
                      core::TimePoint now) {
  row.task.desiredStatus = "STOPPED";
  set_reason(row.task, stop_code, reason);
  finish(row, now);
  row.task.version = row.task.version.value_or(0) + 1;
}

}  // namespace sampan::ecs
