// What the agent keeps of a task on disk, and its text form.
//
//   <data-dir>/containers/<task>/task.json    the assignment and the ids chosen for it: written first,
//   durable <data-dir>/containers/<task>/state.json   a Record, replaced at every change; survives kill -9
//   <data-dir>/containers/<task>/sandbox.json the namespaces it was given; there while they are its own
//   <data-dir>/containers/<task>/<name>/      a container's folder: bundle, log, exit status, upper directory
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/lifecycle.h"
#include "node/link.h"
#include "node/network.h"

namespace sampan::node {

// The intent: never changes once written.
struct Intent {
  TaskAssignment assignment;
  std::vector<std::string> runtime_ids;  // one a container, "<taskid>-<10 digits>"
  std::string credentials_id;            // in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
  std::optional<core::TimePoint> assigned_at;
};

struct ContainerRecord {
  ContainerFacts facts;
  std::string image_digest;
  std::string image_id;  // digest of its configuration
  int stop_signal = 15;  // the image's
  std::vector<NetworkBinding> bindings;
};

struct Record {
  std::uint64_t sequence = 0;
  TaskPhase phase = TaskPhase::kPending;
  std::string stop_code;
  std::string stopped_reason;
  bool stop_wanted = false;
  bool sandbox_ready = false;
  std::string sandbox_error;
  std::optional<core::TimePoint> connectivity_at;
  std::optional<core::TimePoint> pull_started_at;
  std::optional<core::TimePoint> pull_stopped_at;
  std::optional<core::TimePoint> started_at;
  std::optional<core::TimePoint> stopping_at;
  std::optional<core::TimePoint> execution_stopped_at;
  std::optional<core::TimePoint> stopped_at;
  std::vector<ContainerRecord> containers;
};

// Both throw core::Error when the text is not what render_* wrote.
std::string render_intent(const Intent& intent);
Intent parse_intent(std::string_view text);
std::string render_record(const Record& record);
Record parse_record(std::string_view text);
std::string render_sandbox(const Sandbox& sandbox);
Sandbox parse_sandbox(std::string_view text);

Record new_record(const Intent& intent);
TaskFacts facts_of(const Record& record);
TaskReport report_of(const Intent& intent, const Record& record);

// Brings phase and timestamps up to what the containers' facts say. Known state never goes backwards.
// Leaves the times in order (order_times).
void settle(const Intent& intent, Record& record, core::TimePoint now);
// Assigned, pull started, pull stopped, started, execution stopped, stopped: none before the one ahead of it,
// and no container ends before it starts. They come from different hands (an exit's time is its monitor's, a
// start's is taken once the runtime has answered), so a container that ends at once would not keep to that.
void order_times(const Intent& intent, Record& record);

}  // namespace sampan::node
