// What is to be done for a task next: a pure function of its assignment, of what has been seen of it, and of
// the time. The agent carries the actions out and asks again whenever something happened.
//
//   container:  waiting → pulling → pulled → starting → running → stopped     (never backwards;
//                  └────────┴─────────┴── stopped: skipped, or it could not be started)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "node/link.h"

namespace sampan::node {

enum class Stage { kWaiting, kPulling, kPulled, kStarting, kRunning, kStopped };

struct HealthFacts {
  Health status = Health::kUnknown;
  int failures = 0;                           // in a row
  bool checking = false;                      // one is under way
  std::optional<core::TimePoint> checked_at;  // end of the last one
};

// What is known of one container. Persisted (record.h), so every fact that a decision needs is here.
struct ContainerFacts {
  Stage stage = Stage::kWaiting;
  bool failed = false;           // it never ran: `reason` says why
  std::optional<int> exit_code;  // stopped, and the code is known
  std::string reason;
  std::optional<core::TimePoint> started_at;
  std::optional<core::TimePoint> finished_at;
  std::optional<core::TimePoint> terminated_at;  // asked to end
  bool killed = false;                           // SIGKILL sent
  HealthFacts health;
};

struct TaskFacts {
  bool sandbox_ready = false;  // namespaces, network, volumes, cgroup
  bool sandbox_busy = false;   // being made: it cannot be released yet
  std::string sandbox_error;
  bool stop_wanted = false;
  std::vector<ContainerFacts> containers;  // in the assignment's order
};

struct Action {
  enum class Kind {
    kPull,  // the image, and its log stream
    kStart,
    kCheckHealth,
    kTerminate,  // the stop signal
    kKill,
    kSkip,      // it will not run any more
    kStopTask,  // `stop_code`, `reason`: the node's own decision
    kFinish     // everything has ended: release what the task holds
  };
  Kind kind;
  std::size_t container = 0;
  std::string stop_code;
  std::string reason;
  bool operator==(const Action&) const = default;
};

struct Plan {
  std::vector<Action> actions;
  std::optional<core::TimePoint> wake_at;  // ask again then, though nothing happened
};

Plan plan_task(const TaskAssignment& task, const TaskFacts& facts, core::TimePoint now);

// The result of one health check; `begun` decides whether it counts (start period).
void apply_health_result(HealthFacts& health, const HealthCheck& check, core::TimePoint container_started,
                         core::TimePoint begun, core::TimePoint ended, bool passed);

core::Millis stop_timeout(const ContainerAssignment& container);

}  // namespace sampan::node
