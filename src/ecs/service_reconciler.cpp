#include "ecs/service_reconciler.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "ecs/faults.h"
#include "ecs/service_changes.h"

namespace sampan::ecs {
namespace {

namespace log = core::log;

constexpr auto kLongestWait = std::chrono::minutes(1);
constexpr auto kRetry = std::chrono::seconds(1);

}  // namespace

ServiceReconciler::ServiceReconciler(State& state, const Parts& parts, const Options& options,
                                     Launcher& launcher, TaskReconciler& tasks)
    : state_(state),
      parts_(parts),
      options_(options),
      launcher_(launcher),
      tasks_(tasks),
      bell_(parts.control) {}

void ServiceReconciler::start() {
  listen();
  kick();
  io::spawn_detached(parts_.control, "ecs services", run());
}

void ServiceReconciler::stop() {
  stopping_ = true;
  bell_.ring();
}

void ServiceReconciler::listen() {
  state_.services.on_change([this](const std::string& key, const ServiceRow*, const ServiceRow* after) {
    if (after) mark(key);
  });
  state_.tasks.on_change([this](const std::string&, const TaskRow* before, const TaskRow* after) {
    const auto* row = after ? after : before;
    if (row && !row->service.empty()) mark(member_key(row->scope, row->cluster, row->service));
  });
  state_.instances.on_change([this](const std::string&, const auto*, const auto*) { kick(); });
}

void ServiceReconciler::mark(const std::string& service_key) {
  if (stopping_) return;
  dirty_.insert(service_key);
  bell_.ring();
}

void ServiceReconciler::kick() {
  for (const auto& [key, row] : state_.services) dirty_.insert(key);
  bell_.ring();
}

void ServiceReconciler::target_changed(const elb::Target& target) {
  for (const auto& key : state_.tasks_at(target.address)) {
    const auto* row = state_.tasks.find(key);
    if (row && !row->service.empty()) mark(member_key(row->scope, row->cluster, row->service));
  }
}

io::Awaitable<void> ServiceReconciler::run() {
  while (!stopping_) {
    auto now = parts_.clock.now();
    for (auto at = wakes_.begin(); at != wakes_.end();) {
      if (at->second > now) {
        ++at;
        continue;
      }
      dirty_.insert(at->first);
      at = wakes_.erase(at);
    }
    for (auto at = dirty_.begin(); at != dirty_.end();) {
      if (!busy_.insert(*at).second) {
        ++at;  // stays marked: its pass looks again when it ends
        continue;
      }
      auto key = *at;
      at = dirty_.erase(at);
      io::spawn_detached(parts_.control, "ecs service", reconcile_until_clean(key));
    }
    co_await bell_.wait_for(until_next_wake());
  }
}

std::chrono::milliseconds ServiceReconciler::until_next_wake() {
  std::chrono::milliseconds wait = kLongestWait;
  auto now = parts_.clock.now();
  for (const auto& [key, time] : wakes_) wait = std::min(wait, std::max(core::Millis(1), time - now));
  return wait;
}

io::Awaitable<void> ServiceReconciler::reconcile_until_clean(std::string key) {
  do {
    dirty_.erase(key);
    bool failed = false;
    try {
      co_await reconcile(key);
    } catch (const std::exception& error) {
      log::error("service {} could not be reconciled, trying again: {}", key, error.what());
      failed = true;
    }
    if (failed) co_await io::sleep_for(kRetry);
    if (failed) dirty_.insert(key);
  } while (dirty_.contains(key) && !stopping_);
  busy_.erase(key);
  bell_.ring();
}

io::Awaitable<void> ServiceReconciler::reconcile(std::string key) {
  auto joined = co_await join_targets(key);
  auto outcome =
      co_await store::transact(state_.store, [&](store::Txn& tx) { return pass(tx, key, joined); });
  tasks_.assign(outcome.started);
  tasks_.end(outcome.ended);
  wakes_.erase(key);
  if (outcome.wake) wakes_[key] = *outcome.wake;
  co_await leave_late(std::move(joined));
}

io::Awaitable<std::set<std::string>> ServiceReconciler::join_targets(std::string key) {
  struct Joining {
    std::string key;
    std::string address;
    std::string zone;
    std::vector<TaskTarget> targets;
  };
  std::vector<Joining> all;
  for (const auto& task_key : state_.tasks_of(key)) {
    const auto* row = state_.tasks.find(task_key);
    if (!row || row->targets.empty() || row->registered || !row->wanted()) continue;
    if (row->task.lastStatus != "RUNNING" || row->network.address.empty()) continue;
    all.push_back({task_key, row->network.address, row->task.availabilityZone.value_or(""), row->targets});
  }
  std::set<std::string> joined;
  for (const auto& one : all) {
    try {
      for (const auto& target : one.targets) {
        co_await parts_.targets.add({target.group_arn, one.address, target.port}, one.zone);
      }
      joined.insert(one.key);
    } catch (const core::Error& error) {
      log::warn("task {} could not be registered in its target groups: {}", one.key, error.what());
    }
  }
  co_return joined;
}

// A task that was stopped while it was being put into its groups: it must not stay there.
io::Awaitable<void> ServiceReconciler::leave_late(std::set<std::string> joined) {
  std::vector<elb::Target> late;
  for (const auto& key : joined) {
    const auto* row = state_.tasks.find(key);
    if (!row || row->wanted() || row->registered) continue;
    for (const auto& target : row->targets)
      late.push_back({target.group_arn, row->network.address, target.port});
  }
  for (const auto& target : late) co_await parts_.targets.remove(target);
}

std::vector<const TaskRow*> ServiceReconciler::tasks_of(const std::string& key) const {
  std::vector<const TaskRow*> rows;
  for (const auto& task_key : state_.tasks_of(key)) {
    if (const auto* row = state_.tasks.find(task_key)) rows.push_back(row);
  }
  return rows;
}

bool ServiceReconciler::has_check(const TaskRow& row) const {
  const auto* found = state_.definitions.find(definition_key(row.scope, row.family, row.revision));
  if (!found) return false;
  for (const auto& container : list_or_empty(found->definition.containerDefinitions)) {
    if (container.essential.value_or(true) && container.healthCheck) return true;
  }
  return false;
}

SightSources ServiceReconciler::sources() const {
  return {.has_check = [this](const TaskRow& row) { return has_check(row); },
          .health = [this](const elb::Target& target) { return parts_.targets.health(target); },
          .healthy_after = options_.healthy_after,
          .first_gap = options_.first_restart_gap,
          .longest_gap = options_.longest_restart_gap};
}

int ServiceReconciler::active_instances(const ServiceRow& row) const {
  return static_cast<int>(launcher_.rooms(cluster_key(row.scope, row.cluster)).size());
}

ServiceReconciler::Outcome ServiceReconciler::pass(store::Txn& tx, const std::string& key,
                                                   const std::set<std::string>& joined) {
  auto row = tx.get(state_.services, key);
  if (!row) return {};
  auto now = parts_.clock.now();
  if (row->inactive()) {
    auto forget_at = row->inactive_at.value_or(now) + options_.keep_stopped;
    if (forget_at > now) return {.wake = forget_at};
    State::each(state_.events, events_prefix(*row),
                [&](const std::string& event, const auto&) { tx.erase(state_.events, event); });
    tx.erase(state_.services, key);
    return {};
  }
  ServiceChanges changes(state_, launcher_, parts_.ids, tx, *row, now);
  if (row->active() && row->service.schedulingStrategy == "DAEMON")
    changes.set_desired(active_instances(*row));
  changes.mark_joined(joined);
  auto sight = see_service(changes.row(), tasks_of(key), sources(), now);
  auto plan = plan_service(sight.view, now);
  changes.apply(plan, sight);
  changes.save();
  return {changes.started(), changes.ended(), sight.wake};
}

}  // namespace sampan::ecs
