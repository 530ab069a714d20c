#include "ecs/task_reconciler.h"

#include "core/error.h"
#include "core/log.h"
#include "ecs/assignment.h"
#include "ecs/task_state.h"

namespace sampan::ecs {
namespace {

namespace log = core::log;

constexpr auto kSweepEvery = std::chrono::minutes(1);
constexpr auto kRetry = std::chrono::seconds(1);
constexpr auto kIdle = std::chrono::hours(1);
constexpr std::size_t kSweepBatch = 200;
constexpr auto kKeepTokens = std::chrono::hours(24);

elb::Target target_of(const TaskRow& row, const TaskTarget& target) {
  return {target.group_arn, row.network.address, target.port};
}

}  // namespace

TaskReconciler::TaskReconciler(State& state, const Parts& parts, const Options& options)
    : state_(state),
      parts_(parts),
      options_(options),
      report_bell_(parts.control),
      sweep_bell_(parts.control) {}

void TaskReconciler::spawn(std::string name, io::Awaitable<void> work) {
  io::spawn_detached(parts_.control, std::move(name), std::move(work));
}

void TaskReconciler::stop() {
  stopping_ = true;
  report_bell_.ring();
  sweep_bell_.ring();
}

void TaskReconciler::start() {
  parts_.link.on_report([this](const node::TaskReport& report) { hear(report); });
  agree();
  spawn("ecs reports", take_reports());
  spawn("ecs sweep", sweep_forever());
}

// After a restart of either side. What the node has and we do not is disowned by record(); what we have and
// the node does not either never reached it (assign again) or was lost by it.
void TaskReconciler::agree() {
  std::unordered_set<std::string> known;
  for (const auto& report : parts_.link.reports()) {
    known.insert(report.task_id);
    hear(report);
  }
  std::vector<std::string> to_assign, to_end;
  for (const auto& [key, row] : state_.tasks) {
    const auto& task = row.value;
    if (task.stopped()) continue;
    if (!known.contains(task.id) && task.task.startedAt) {
      spawn("ecs lost task", fail_to_start(key, "The node that ran the task no longer knows it."));
    } else if (!task.wanted()) {
      to_end.push_back(key);
    } else if (!known.contains(task.id)) {
      to_assign.push_back(key);
    }
  }
  assign(to_assign);
  end(to_end);
}

void TaskReconciler::hear(const node::TaskReport& report) {
  if (stopping_) return;
  auto& kept = waiting_[report.task_id];
  if (kept.sequence > report.sequence) return;
  kept = report;
  // A pending task's progress may ride along with something else; whatever a caller waits for may not wait.
  if (report.phase != node::TaskPhase::kPending) urgent_ = true;
  report_bell_.ring();
}

void TaskReconciler::assign(const std::vector<std::string>& keys) {
  if (stopping_) return;
  for (const auto& key : keys) {
    if (assigning_.insert(key).second) spawn("ecs assign", assign_task(key));
  }
}

io::Awaitable<void> TaskReconciler::assign_task(std::string key) {
  const auto* row = state_.tasks.find(key);
  const auto* definition =
      row ? state_.definitions.find(definition_key(row->scope, row->family, row->revision)) : nullptr;
  std::string failure;
  if (row && row->wanted() && definition) {
    try {
      co_await parts_.link.assign(assignment_of(*row, definition->definition));
    } catch (const std::exception& error) {
      failure = error.what();
    }
  } else if (row && !definition) {
    failure = "the task definition is gone";
  }
  assigning_.erase(key);
  if (!failure.empty()) {
    log::warn("task {} could not be given to the node: {}", key, failure);
    co_await fail_to_start(key, "ResourceInitializationError: " + failure);
    co_return;
  }
  row = state_.tasks.find(key);
  if (row && !row->wanted()) end({key});  // it was stopped meanwhile
}

io::Awaitable<void> TaskReconciler::fail_to_start(std::string key, std::string why) {
  co_await leave_targets(key);
  co_await store::transact(state_.store, [&](store::Txn& tx) {
    auto row = tx.get(state_.tasks, key);
    if (!row || row->stopped()) return;
    end_without_node(*row, row->task.startedAt ? "TerminationNotice" : "TaskFailedToStart", why,
                     parts_.clock.now());
    if (!row->network.interface_id.empty()) parts_.interfaces.release(tx, row->network.interface_id);
    tx.put(state_.tasks, key, *row);
  });
}

void TaskReconciler::end(const std::vector<std::string>& keys) {
  if (stopping_) return;
  for (const auto& key : keys) {
    if (ending_.insert(key).second) spawn("ecs end", end_task(key));
  }
}

// The order that loses no request: out of the target groups, drained, then the signal.
io::Awaitable<void> TaskReconciler::end_task(std::string key) {
  const auto* row = state_.tasks.find(key);
  bool open = row && !row->wanted() && !row->stopped() && !assigning_.contains(key) && !told_.contains(key);
  if (open && row->task.lastStatus == "DEACTIVATING") {
    co_await leave_targets(key);
    row = state_.tasks.find(key);
    open = row && !row->stopped() && drained(*row);
  }
  if (open && told_.insert(key).second) {
    auto id = row->id;
    try {
      co_await parts_.link.stop(id);
    } catch (const std::exception& error) {
      log::warn("the node could not be told to stop task {}: {}", id, error.what());
      told_.erase(key);
    }
  }
  ending_.erase(key);
  // A target may have become unused between the look above and here.
  row = state_.tasks.find(key);
  if (row && row->task.lastStatus == "DEACTIVATING" && !told_.contains(key) && left_.contains(key) &&
      drained(*row)) {
    end({key});
  }
}

io::Awaitable<void> TaskReconciler::leave_targets(std::string key) {
  const auto* row = state_.tasks.find(key);
  if (!row || row->targets.empty() || row->network.address.empty() || left_.contains(key)) co_return;
  std::vector<elb::Target> targets;
  for (const auto& target : row->targets) targets.push_back(target_of(*row, target));
  for (const auto& target : targets) {
    if (!parts_.targets.group(target.group_arn)) continue;
    try {
      co_await parts_.targets.remove(target);
    } catch (const std::exception& error) {
      log::warn("target {}:{} could not be taken out of {}: {}", target.address, target.port,
                target.group_arn, error.what());
    }
  }
  left_.insert(key);
}

bool TaskReconciler::drained(const TaskRow& row) const {
  for (const auto& target : row.targets) {
    if (!parts_.targets.group(target.group_arn)) continue;
    if (parts_.targets.health(target_of(row, target)).state != "unused") return false;
  }
  return true;
}

void TaskReconciler::target_changed(const elb::Target& target) {
  std::vector<std::string> keys;
  for (const auto& key : state_.tasks_at(target.address)) {
    const auto* row = state_.tasks.find(key);
    if (row && row->task.lastStatus == "DEACTIVATING") keys.push_back(key);
  }
  end(keys);
}

void TaskReconciler::kick() {
  std::vector<std::string> keys;
  for (const auto& [key, row] : state_.tasks) {
    if (!row.value.wanted() && !row.value.stopped()) keys.push_back(key);
  }
  end(keys);
  report_bell_.ring();
  sweep_bell_.ring();
}

io::Awaitable<void> TaskReconciler::take_reports() {
  while (!stopping_) {
    if (waiting_.empty()) {
      co_await report_bell_.wait_for(kIdle);
      continue;
    }
    auto delay = options_.report_delay;
    while (!urgent_ && delay.count() > 0 && co_await report_bell_.wait_for(delay)) {
    }
    urgent_ = false;
    auto batch = std::exchange(waiting_, {});
    try {
      co_await record(batch);
      continue;
    } catch (const std::exception& error) {
      log::error("reports of {} tasks could not be recorded, trying again: {}", batch.size(), error.what());
    }
    for (auto& [id, report] : batch) hear(report);
    co_await io::sleep_for(kRetry);
  }
}

io::Awaitable<void> TaskReconciler::record(Batch batch) {
  // A dead task's address may be given to another at once: nobody may send requests there any more.
  for (const auto& [id, report] : batch) {
    if (report.phase != node::TaskPhase::kStopped) continue;
    auto key = state_.task_key(id);
    if (!key.empty()) co_await leave_targets(key);
  }
  co_await store::transact(state_.store, [&](store::Txn& tx) { write_reports(tx, batch); });
  for (const auto& [id, report] : batch) {
    auto key = state_.task_key(id);
    const auto* row = state_.tasks.find(key);
    if (row && !row->stopped()) continue;
    for (auto* set : {&left_, &told_}) set->erase(key);
    co_await disown(report);
  }
}

void TaskReconciler::write_reports(store::Txn& tx, const Batch& batch) {
  for (const auto& [id, report] : batch) {
    const auto& key = state_.task_key(id);
    if (key.empty()) continue;
    auto row = tx.get(state_.tasks, key);
    if (!row) continue;
    const auto* definition = state_.definitions.find(definition_key(row->scope, row->family, row->revision));
    if (!apply_report(*row, report, definition ? &definition->definition : nullptr, parts_.clock.now()))
      continue;
    if (row->stopped() && !row->network.interface_id.empty()) {
      parts_.interfaces.release(tx, row->network.interface_id);
    }
    tx.put(state_.tasks, key, *row);
  }
}

// The node need not keep what has stopped, and may not run what we do not know or hold for stopped.
io::Awaitable<void> TaskReconciler::disown(const node::TaskReport& report) {
  try {
    if (report.phase == node::TaskPhase::kStopped) {
      co_await parts_.link.forget(report.task_id);
    } else if (report.phase != node::TaskPhase::kStopping) {
      co_await parts_.link.stop(report.task_id);
    }
  } catch (const std::exception& error) {
    log::warn("task {} could not be cleared from its node: {}", report.task_id, error.what());
  }
}

io::Awaitable<void> TaskReconciler::sweep_forever() {
  while (!stopping_) {
    try {
      co_await sweep();
    } catch (const std::exception& error) {
      log::warn("old ECS rows could not be swept: {}", error.what());
    }
    co_await sweep_bell_.wait_for(kSweepEvery);
  }
}

io::Awaitable<void> TaskReconciler::sweep() {
  auto now = parts_.clock.now();
  std::vector<std::string> tasks, tokens, definitions, events;
  for (const auto& [key, row] : state_.tasks) {
    if (tasks.size() == kSweepBatch) break;
    if (row.value.stopped() && row.value.task.stoppedAt.value_or(now) + options_.keep_stopped < now) {
      tasks.push_back(key);
    }
  }
  for (const auto& [key, row] : state_.tokens) {
    if (tokens.size() == kSweepBatch) break;
    if (row.value.made_at + kKeepTokens < now) tokens.push_back(key);
  }
  for (const auto& [key, row] : state_.definitions) {
    const auto& definition = row.value.definition;
    if (definition.status != "DELETE_IN_PROGRESS" || definitions.size() == kSweepBatch) continue;
    if (state_.uses_of(*definition.taskDefinitionArn) == 0) definitions.push_back(key);
  }
  if (tasks.empty() && tokens.empty() && definitions.empty()) co_return;
  co_await store::transact(state_.store, [&](store::Txn& tx) {
    for (const auto& key : tasks) tx.erase(state_.tasks, key);
    for (const auto& key : tokens) tx.erase(state_.tokens, key);
    for (const auto& key : definitions) tx.erase(state_.definitions, key);
  });
}

}  // namespace sampan::ecs
