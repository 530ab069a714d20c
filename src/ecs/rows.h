// The rows ECS keeps beside those that are generated shapes alone (clusters, container instances). A row
// holds the shape that Describe answers with and what only the scheduler needs to know.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/ecs.h"
#include "aws/row_codec.h"
#include "core/clock.h"
#include "ecs/names.h"
#include "node/link.h"

namespace sampan::ecs {

using api::ecs::Tag;

// The last revision a family ever had: revisions are not used again, not even after a delete.
struct FamilyRow {
  int last_revision = 0;
};

struct DefinitionRow {
  api::ecs::TaskDefinition definition;
  std::vector<Tag> tags;
};

// A target group that a service's task stands in, while it runs.
struct TaskTarget {
  std::string group_arn;
  std::string container;
  int port = 0;
  auto operator<=>(const TaskTarget&) const = default;
};

struct TaskRow {
  api::ecs::Task task;
  Scope scope;
  std::string cluster;  // its name
  std::string id;       // 32 hex digits
  std::string family;
  int revision = 0;
  std::string service;     // empty: standalone
  std::string deployment;  // ecs-svc/…
  node::NetworkAssignment network;
  std::map<std::string, std::string> digests;  // container → sha256:…, fixed when the task was made
  std::vector<TaskTarget> targets;
  std::uint64_t sequence = 0;                 // of the last report of the node that is in here
  bool registered = false;                    // its targets were added
  bool accounted = false;                     // its end was counted as a failure, or needs no counting
  std::optional<core::TimePoint> healthy_at;  // first seen healthy, as a service means it
  int reserved_cpu = 0;                       // on a container instance (EC2)
  int reserved_memory = 0;
  std::vector<int> reserved_ports;

  bool stopped() const { return task.lastStatus == "STOPPED"; }
  bool wanted() const { return task.desiredStatus != "STOPPED"; }
};

// One deployment of a service, with all that is needed to return to it.
struct DeploymentRow {
  std::string id;  // ecs-svc/<19 digits>
  std::string task_definition;
  std::optional<std::string> launch_type;
  std::optional<std::vector<api::ecs::CapacityProviderStrategyItem>> strategy;
  std::optional<std::string> platform_version;
  std::optional<api::ecs::NetworkConfiguration> network;
  std::vector<api::ecs::LoadBalancer> load_balancers;
  std::map<std::string, std::string> digests;  // container → sha256:…, fixed when the deployment began
  core::TimePoint created_at;
  core::TimePoint updated_at;
  std::string rollout_state;  // IN_PROGRESS, COMPLETED, FAILED
  std::string rollout_reason;
  int failed_tasks = 0;      // in a row
  std::string revision_arn;  // service-revision/…
  std::string record_arn;    // service-deployment/…
  bool rollback = false;     // another deployment's failure brought it back
};

struct ServiceRow {
  api::ecs::Service service;  // without deployments, counts and events: those are derived
  Scope scope;
  std::string cluster;
  std::string name;
  std::string incarnation;                      // a service of the same name made later is another one
  std::vector<DeploymentRow> deployments;       // the primary first
  std::optional<DeploymentRow> last_completed;  // where a rollback goes
  int start_rounds = 0;                         // rounds of starts that failed, one after the other
  std::optional<core::TimePoint> next_start;    // not before
  bool steady = false;                          // its event was told
  std::string last_trouble;                     // text of the last trouble event: not told again …
  core::TimePoint last_trouble_at;              // … within six hours
  std::int64_t events = 0;                      // how many were told
  std::optional<core::TimePoint> inactive_at;
  std::string client_token;

  bool active() const { return service.status == "ACTIVE"; }
  bool inactive() const { return service.status == "INACTIVE"; }
};

// What a client token of RunTask stands for.
struct TokenRow {
  std::string fingerprint;         // of the parameters
  std::vector<std::string> tasks;  // ids
  core::TimePoint made_at;
};

}  // namespace sampan::ecs

namespace sampan::store {

#define SAMPAN_ECS_ROW(Type)                     \
  template <>                                    \
  struct RowCodec<ecs::Type> {                   \
    static std::string encode(const ecs::Type&); \
    static ecs::Type decode(std::string_view);   \
  };
SAMPAN_ECS_ROW(FamilyRow)
SAMPAN_ECS_ROW(DefinitionRow)
SAMPAN_ECS_ROW(TaskRow)
SAMPAN_ECS_ROW(ServiceRow)
SAMPAN_ECS_ROW(TokenRow)
#undef SAMPAN_ECS_ROW

}  // namespace sampan::store
