// The link between the control plane and a node: what is wanted of a task goes down, what became of it comes
// up. On one machine it is a direct call; between machines the same values travel as messages.
//
// Both directions may be repeated at any time: assign() of a known task changes nothing, reports are whole
// snapshots with a growing sequence. The agent keeps what it was told on its own disk, so it can be killed
// and started again without asking.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"

namespace sampan::node {

struct HealthCheck {
  std::vector<std::string> command;  // ["CMD", …] or ["CMD-SHELL", "…"]
  int interval_seconds = 30;
  int timeout_seconds = 5;
  int retries = 3;
  int start_period_seconds = 0;
};

struct PortMapping {
  int container_port = 0;
  int host_port = 0;  // 0: any (bridge mode)
  std::string protocol = "tcp";
};

struct Dependency {
  std::string container;
  std::string condition;  // START, COMPLETE, SUCCESS, HEALTHY
};

struct MountPoint {
  std::string volume;
  std::string container_path;
  bool read_only = false;
};

struct Ulimit {
  std::string name;
  std::int64_t soft = 0;
  std::int64_t hard = 0;
};

struct LogConfiguration {
  std::string driver;  // "awslogs", "json-file", "none"; empty: kept by the node only
  std::map<std::string, std::string> options;
};

// One container, overrides and environment merged already.
struct ContainerAssignment {
  std::string name;
  std::string arn;
  std::string image;         // as written in the task definition
  std::string image_digest;  // "sha256:…" when the deployment fixed it, else empty
  bool essential = true;
  std::optional<std::vector<std::string>> entry_point;
  std::optional<std::vector<std::string>> command;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string user;
  std::string working_directory;
  std::string hostname;
  int cpu_units = 0;                          // shares; 0: least
  std::optional<std::int64_t> memory_mib;     // hard
  std::optional<std::int64_t> memory_reservation_mib;
  std::optional<int> start_timeout_seconds;
  std::optional<int> stop_timeout_seconds;    // default 30
  std::vector<Dependency> depends_on;
  std::optional<HealthCheck> health_check;
  std::vector<PortMapping> ports;
  std::vector<MountPoint> mounts;
  std::vector<std::pair<std::string, bool>> volumes_from;  // container, read-only
  std::vector<Ulimit> ulimits;
  std::vector<std::string> capabilities_add;
  std::vector<std::string> capabilities_drop;
  std::vector<std::pair<std::string, std::string>> extra_hosts;  // name, address
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> sysctls;
  bool privileged = false;
  bool read_only_root = false;
  bool init_process = false;
  bool interactive = false;
  bool pseudo_terminal = false;
  LogConfiguration log;
};

struct Volume {
  std::string name;
  std::string host_path;  // empty: private to the task
};

// The task's network interface (awsvpc), or none (bridge, host, none).
struct NetworkAssignment {
  std::string mode = "awsvpc";
  std::string interface_id;  // eni-…
  std::string attachment_id;
  std::string mac;           // "02:…"
  std::string address;       // "172.30.0.17"
  int prefix_length = 20;    // of the subnet
  std::string gateway;       // the subnet's first address
  std::string vpc_id;
  std::string vpc_cidr;
  std::string subnet_id;
  std::string subnet_cidr;
  std::string private_dns_name;  // "ip-172-30-0-17.ec2.internal"
  std::vector<std::string> security_groups;
};

struct TaskAssignment {
  std::string task_id;   // 32 hex digits
  std::string task_arn;
  std::string account;
  std::string region;
  std::string cluster;   // its name
  std::string family;
  int revision = 0;
  std::string launch_type;        // FARGATE, EC2
  std::string availability_zone;
  std::string service;            // empty for a standalone task
  std::string task_role_arn;
  std::string execution_role_arn;
  int cpu_units = 0;              // hard cap of the whole task; 0: none
  std::int64_t memory_mib = 0;    // hard limit of the whole task; 0: none
  int ephemeral_storage_gib = 20;
  NetworkAssignment network;
  std::vector<ContainerAssignment> containers;
  std::vector<Volume> volumes;
  std::map<std::string, std::string> tags;
};

enum class ContainerStatus { kPending, kRunning, kStopped };
enum class Health { kUnknown, kHealthy, kUnhealthy };

struct NetworkBinding {
  std::string bind_ip;
  int container_port = 0;
  int host_port = 0;
  std::string protocol;
};

struct ContainerReport {
  std::string name;
  std::string runtime_id;  // <taskid>-<10 digits>
  std::string image_digest;
  ContainerStatus status = ContainerStatus::kPending;
  std::optional<int> exit_code;  // only if a process ended
  std::string reason;            // "OutOfMemoryError: Container killed due to memory usage", start errors
  Health health = Health::kUnknown;
  std::optional<core::TimePoint> started_at;
  std::optional<core::TimePoint> finished_at;
  std::vector<NetworkBinding> bindings;
};

enum class TaskPhase { kPending, kRunning, kStopping, kStopped };

// The whole of what the node knows of a task.
struct TaskReport {
  std::string task_id;
  std::uint64_t sequence = 0;  // grows with each change, also across restarts of the agent
  TaskPhase phase = TaskPhase::kPending;
  // Set when the agent itself ends the task: AWS's code ("EssentialContainerExited", "TaskFailedToStart") and text.
  std::string stop_code;
  std::string stopped_reason;
  std::optional<core::TimePoint> connectivity_at;
  std::optional<core::TimePoint> pull_started_at;
  std::optional<core::TimePoint> pull_stopped_at;
  std::optional<core::TimePoint> started_at;
  std::optional<core::TimePoint> stopping_at;
  std::optional<core::TimePoint> execution_stopped_at;
  std::optional<core::TimePoint> stopped_at;
  std::vector<ContainerReport> containers;
};

// All calls and callbacks on the control strand.
class Link {
 public:
  using ReportHandler = std::function<void(const TaskReport&)>;

  virtual ~Link() = default;
  // Set once, before anything else. Must not throw.
  virtual void on_report(ReportHandler handler) = 0;
  // The node has stored the wish when it returns; it works on it afterwards. Known task: nothing happens.
  virtual boost::asio::awaitable<void> assign(TaskAssignment assignment) = 0;
  // Ends the task: SIGTERM (or the image's STOPSIGNAL), stop timeout, SIGKILL. Unknown task: reports it as stopped.
  virtual boost::asio::awaitable<void> stop(std::string task_id) = 0;
  // The control plane has recorded the end of a stopped task: the node may remove what is left of it.
  virtual boost::asio::awaitable<void> forget(std::string task_id) = 0;
  // What the node knows of all its tasks; asked at start, so that both sides agree.
  virtual std::vector<TaskReport> reports() const = 0;
};

}  // namespace sampan::node
