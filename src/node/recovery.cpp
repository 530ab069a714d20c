#include "node/recovery.h"

#include <set>

#include "core/error.h"
#include "core/log.h"
#include "io/file.h"

namespace sampan::node {
namespace {

namespace fs = std::filesystem;

constexpr char kLost[] = "CannotInspectContainerError: The container ended unseen, its exit code is unknown";

void note_lost(ContainerFacts& facts, core::TimePoint now) {
  facts.stage = Stage::kStopped;
  facts.reason = kLost;
  facts.finished_at = now;
}

void begin_anew(ContainerFacts& facts) {
  facts = ContainerFacts();
}

template <class F>
void attempt(const std::string& what, F work) {
  try {
    work();
  } catch (const std::exception& error) {
    core::log::warn("recovery: {}: {}", what, error.what());
  }
}

std::optional<RecoveredTask> read_task(const fs::path& folder) {
  auto intent = io::read_file_if_exists(folder / "task.json");
  if (!intent) return std::nullopt;
  RecoveredTask task;
  task.intent = parse_intent(*intent);
  auto record = io::read_file_if_exists(folder / "state.json");
  task.record = record ? parse_record(*record) : new_record(task.intent);
  if (task.record.containers.size() != task.intent.runtime_ids.size()) {
    throw core::Error("read a task's state", "it has another number of containers");
  }
  return task;
}

std::vector<RecoveredTask> read_tasks(const fs::path& containers, Launcher& launcher) {
  std::vector<RecoveredTask> tasks;
  for (const auto& entry : fs::directory_iterator(containers)) {
    auto id = entry.path().filename().string();
    std::optional<RecoveredTask> task;
    attempt("task " + id, [&] { task = read_task(entry.path()); });
    if (task && task->intent.assignment.task_id == id) {
      tasks.push_back(std::move(*task));
    } else {
      attempt("remove " + id, [&] { launcher.erase(id); });
    }
  }
  return tasks;
}

bool over(const RecoveredTask& task) {
  return task.record.phase == TaskPhase::kStopped;
}

void find_sandboxes(std::vector<RecoveredTask>& tasks, Launcher& launcher, Network& network) {
  std::vector<KnownSandbox> known;
  for (auto& task : tasks) {
    if (over(task)) continue;
    std::optional<Sandbox> stored;
    attempt("sandbox", [&] { stored = launcher.stored_sandbox(task.intent.assignment.task_id); });
    if (stored) known.push_back({launcher.network_request(task.intent.assignment), *stored});
  }
  std::set<std::string> standing;
  attempt("network", [&] {
    for (auto& id : network.recover(known)) standing.insert(std::move(id));
  });
  for (auto& task : tasks) {
    for (const auto& one : known) {
      bool its_own = one.request.task_id == task.intent.assignment.task_id;
      if (its_own && standing.contains(one.request.task_id)) task.sandbox = one.sandbox;
    }
  }
}

void adopt_task(RecoveredTask& task, Launcher& launcher, runtime::Runtime& runtime, core::TimePoint now) {
  const auto& id = task.intent.assignment.task_id;
  for (std::size_t i = 0; i < task.record.containers.size(); ++i) {
    auto& facts = task.record.containers[i].facts;
    auto seen = runtime.observe(launcher.ref(task.intent, i));
    if (adopt_container(facts, seen, task.sandbox.has_value(), now) == Adoption::kKeep) continue;
    attempt("clear a container of task " + id, [&] { launcher.clear(task.intent, i); });
  }
  task.record.sandbox_ready = task.sandbox.has_value();
  if (!task.sandbox) attempt("release task " + id, [&] { launcher.release(task.intent); });
}

// Containers and control groups of this instance that no task on the disk speaks of.
void remove_orphans(const std::vector<RecoveredTask>& tasks, const fs::path& containers,
                    runtime::Runtime& runtime, const runtime::Cgroups& cgroups, const std::string& instance) {
  std::set<std::string> task_ids, runtime_ids;
  for (const auto& task : tasks) {
    task_ids.insert(task.intent.assignment.task_id);
    runtime_ids.insert(task.intent.runtime_ids.begin(), task.intent.runtime_ids.end());
  }
  for (const auto& id : runtime.list()) {
    if (runtime_ids.contains(id)) continue;
    attempt("container " + id, [&] { runtime.remove({id, containers / ".orphan"}); });
  }
  auto parent = "/sampan-" + instance;
  for (const auto& name : cgroups.children(parent)) {
    if (task_ids.contains(name)) continue;
    attempt("control group " + name, [&] { cgroups.remove(parent + "/" + name); });
  }
}

}  // namespace

Adoption adopt_container(ContainerFacts& facts, const runtime::Observation& seen, bool sandbox_stands,
                         core::TimePoint now) {
  facts.health.checking = false;
  if (facts.stage == Stage::kStopped) return Adoption::kKeep;
  bool ran = facts.stage == Stage::kRunning;
  if (seen.exit) {
    facts.stage = Stage::kStopped;
    facts.exit_code = seen.exit->code;
    facts.finished_at = seen.exit->finished_at;
    if (!facts.started_at) facts.started_at = facts.finished_at;
    if (seen.exit->out_of_memory) facts.reason = "OutOfMemoryError: Container killed due to memory usage";
    return Adoption::kKeep;
  }
  if (seen.state == runtime::ContainerState::kRunning && sandbox_stands) {
    facts.stage = Stage::kRunning;
    if (!facts.started_at) facts.started_at = now;
    return Adoption::kKeep;
  }
  if (ran) {
    note_lost(facts, now);
  } else {
    begin_anew(facts);
  }
  return Adoption::kClear;
}

std::vector<RecoveredTask> recover_tasks(const fs::path& containers, Launcher& launcher,
                                         runtime::Runtime& runtime, const runtime::Cgroups& cgroups,
                                         Network& network, const std::string& instance, core::TimePoint now) {
  auto tasks = read_tasks(containers, launcher);
  find_sandboxes(tasks, launcher, network);
  for (auto& task : tasks) {
    if (over(task)) {
      attempt("clean up", [&] { launcher.discard_files(task.intent); });
    } else {
      attempt("adopt", [&] { adopt_task(task, launcher, runtime, now); });
    }
  }
  remove_orphans(tasks, containers, runtime, cgroups, instance);
  return tasks;
}

}  // namespace sampan::node
