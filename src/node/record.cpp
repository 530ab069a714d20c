#include "node/record.h"

#include "node/assignment_fields.h"
#include "node/json_archive.h"

namespace sampan::node {
template <class A>
void fields(A& a, Intent& v) {
  a("assignment", v.assignment);
  a("runtimeIds", v.runtime_ids);
  a("credentialsId", v.credentials_id);
  a("assignedAt", v.assigned_at);
}

template <class A>
void fields(A& a, HealthFacts& v) {
  a("status", v.status);
  a("failures", v.failures);
  a("checkedAt", v.checked_at);
}

template <class A>
void fields(A& a, ContainerFacts& v) {
  a("stage", v.stage);
  a("failed", v.failed);
  a("exitCode", v.exit_code);
  a("reason", v.reason);
  a("startedAt", v.started_at);
  a("finishedAt", v.finished_at);
  a("terminatedAt", v.terminated_at);
  a("killed", v.killed);
  a("health", v.health);
}

template <class A>
void fields(A& a, ContainerRecord& v) {
  a("facts", v.facts);
  a("imageDigest", v.image_digest);
  a("imageId", v.image_id);
  a("stopSignal", v.stop_signal);
  a("bindings", v.bindings);
}

template <class A>
void fields(A& a, IdRange& v) {
  a("base", v.base);
  a("size", v.size);
}

template <class A>
void fields(A& a, Sandbox& v) {
  std::string network = v.network_namespace.string(), user = v.user_namespace.string();
  a("network", network);
  a("user", user);
  v.network_namespace = network;
  v.user_namespace = user;
  a("ids", v.ids);
  a("address", v.address);
  a("bindings", v.bindings);
}

template <class A>
void fields(A& a, Record& v) {
  a("sequence", v.sequence);
  a("phase", v.phase);
  a("stopCode", v.stop_code);
  a("stoppedReason", v.stopped_reason);
  a("stopWanted", v.stop_wanted);
  a("sandboxReady", v.sandbox_ready);
  a("sandboxError", v.sandbox_error);
  a("connectivityAt", v.connectivity_at);
  a("pullStartedAt", v.pull_started_at);
  a("pullStoppedAt", v.pull_stopped_at);
  a("startedAt", v.started_at);
  a("stoppingAt", v.stopping_at);
  a("executionStoppedAt", v.execution_stopped_at);
  a("stoppedAt", v.stopped_at);
  a("containers", v.containers);
}

namespace {

template <class T>
std::string render(const T& value) {
  T copy = value;  // the field lists take a non-const value, for both directions
  return boost::json::serialize(JsonWriter::write(copy));
}

template <class T>
T parse(std::string_view text, std::string_view what) {
  boost::system::error_code error;
  auto json = boost::json::parse(text, error);
  if (error || !json.is_object()) throw core::Error(fmt::format("read {}", what), "it is not a JSON object");
  T value;
  JsonReader::read(json, value);
  return value;
}

TaskPhase later(TaskPhase a, TaskPhase b) {
  return std::max(a, b);
}

bool every_stage(const Record& record, Stage least) {
  return std::all_of(record.containers.begin(), record.containers.end(),
                     [&](const ContainerRecord& one) { return one.facts.stage >= least; });
}

ContainerStatus status_of(Stage stage) {
  if (stage == Stage::kStopped) return ContainerStatus::kStopped;
  return stage == Stage::kRunning ? ContainerStatus::kRunning : ContainerStatus::kPending;
}

}  // namespace

std::string render_intent(const Intent& intent) {
  return render(intent);
}

Intent parse_intent(std::string_view text) {
  auto intent = parse<Intent>(text, "a task's assignment");
  if (intent.runtime_ids.size() != intent.assignment.containers.size()) {
    throw core::Error("read a task's assignment", "it has not one id a container");
  }
  return intent;
}

std::string render_record(const Record& record) {
  return render(record);
}

Record parse_record(std::string_view text) {
  return parse<Record>(text, "a task's state");
}

std::string render_sandbox(const Sandbox& sandbox) {
  return render(sandbox);
}

Sandbox parse_sandbox(std::string_view text) {
  return parse<Sandbox>(text, "a task's sandbox");
}

Record new_record(const Intent& intent) {
  Record record;
  record.containers.resize(intent.assignment.containers.size());
  return record;
}

TaskFacts facts_of(const Record& record) {
  TaskFacts facts;
  facts.sandbox_ready = record.sandbox_ready;
  facts.sandbox_error = record.sandbox_error;
  facts.stop_wanted = record.stop_wanted;
  for (const auto& container : record.containers) facts.containers.push_back(container.facts);
  return facts;
}

TaskReport report_of(const Intent& intent, const Record& record) {
  TaskReport report;
  report.task_id = intent.assignment.task_id;
  report.sequence = record.sequence;
  report.phase = record.phase;
  report.stop_code = record.stop_code;
  report.stopped_reason = record.stopped_reason;
  report.connectivity_at = record.connectivity_at;
  report.pull_started_at = record.pull_started_at;
  report.pull_stopped_at = record.pull_stopped_at;
  report.started_at = record.started_at;
  report.stopping_at = record.stopping_at;
  report.execution_stopped_at = record.execution_stopped_at;
  report.stopped_at = record.stopped_at;
  for (std::size_t i = 0; i < record.containers.size(); ++i) {
    const auto& from = record.containers[i];
    ContainerReport to;
    to.name = intent.assignment.containers[i].name;
    to.runtime_id = intent.runtime_ids[i];
    to.image_digest = from.image_digest;
    to.status = status_of(from.facts.stage);
    to.exit_code = from.facts.exit_code;
    to.reason = from.facts.reason.substr(0, 1024);
    to.health = from.facts.health.status;
    to.started_at = from.facts.started_at;
    to.finished_at = from.facts.finished_at;
    to.bindings = from.bindings;
    report.containers.push_back(std::move(to));
  }
  return report;
}

void settle(const Intent& intent, Record& record, core::TimePoint now) {
  // RUNNING: every container has got at least so far, and one that is not over is running.
  if (!record.stop_wanted && every_stage(record, Stage::kRunning) && record.phase == TaskPhase::kPending) {
    record.phase = TaskPhase::kRunning;
    for (const auto& container : record.containers) {
      if (container.facts.started_at) {
        record.started_at =
            std::max(record.started_at.value_or(*container.facts.started_at), *container.facts.started_at);
      }
    }
    if (!record.started_at) record.started_at = now;
  }
  for (std::size_t i = 0; i < record.containers.size(); ++i) {
    const auto& facts = record.containers[i].facts;
    if (record.execution_stopped_at || !intent.assignment.containers[i].essential) continue;
    if (facts.stage == Stage::kStopped && facts.finished_at) record.execution_stopped_at = facts.finished_at;
  }
  if (record.stop_wanted) {
    if (!record.stopping_at) record.stopping_at = now;
    record.phase = later(record.phase, TaskPhase::kStopping);
  }
  order_times(intent, record);
}

void order_times(const Intent& intent, Record& record) {
  for (auto& container : record.containers) {
    auto& facts = container.facts;
    if (facts.started_at && facts.finished_at)
      facts.finished_at = std::max(*facts.started_at, *facts.finished_at);
  }
  auto reached = intent.assigned_at;
  auto order = [&](std::optional<core::TimePoint>& time) {
    if (!time) return;
    if (reached) time = std::max(*reached, *time);
    reached = time;
  };
  order(record.pull_started_at);
  order(record.pull_stopped_at);
  order(record.started_at);
  // The wish to stop may come before or after the first container's end: both are right.
  auto asked = record.stopping_at;
  if (asked && reached) record.stopping_at = std::max(*asked, *reached);
  order(record.execution_stopped_at);
  if (record.stopping_at && reached && record.stopped_at) reached = std::max(*reached, *record.stopping_at);
  order(record.stopped_at);
}

}  // namespace sampan::node
