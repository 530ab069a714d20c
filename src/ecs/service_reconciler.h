// Carries out what plan_service() decides: one transaction a pass, then the node and the target groups. A
// pass runs when a task, a target, an instance or the service itself changed, or when the time the last pass
// named has come. Passes of different services overlap; of one service they follow each other. Control
// strand.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "ecs/launcher.h"
#include "ecs/service_view.h"
#include "ecs/task_reconciler.h"

namespace sampan::ecs {

class ServiceReconciler {
 public:
  ServiceReconciler(State& state, const Parts& parts, const Options& options, Launcher& launcher,
                    TaskReconciler& tasks);

  void start();
  void stop();  // hears and does nothing more
  void mark(const std::string& service_key);
  void kick();  // all services
  void target_changed(const elb::Target& target);

 private:
  struct Outcome {
    std::vector<std::string> started;
    std::vector<std::string> ended;
    std::optional<core::TimePoint> wake;
  };

  void listen();
  io::Awaitable<void> run();
  std::chrono::milliseconds until_next_wake();
  io::Awaitable<void> reconcile_until_clean(std::string key);
  io::Awaitable<void> reconcile(std::string key);
  // Puts the tasks that run into their target groups; the keys of those that are in.
  io::Awaitable<std::set<std::string>> join_targets(std::string key);
  io::Awaitable<void> leave_late(std::set<std::string> joined);
  Outcome pass(store::Txn& tx, const std::string& key, const std::set<std::string>& joined);
  std::vector<const TaskRow*> tasks_of(const std::string& key) const;
  SightSources sources() const;
  bool has_check(const TaskRow& row) const;
  int active_instances(const ServiceRow& row) const;

  State& state_;
  Parts parts_;
  const Options& options_;
  Launcher& launcher_;
  TaskReconciler& tasks_;
  io::Bell bell_;
  bool stopping_ = false;
  std::set<std::string> dirty_;
  std::unordered_set<std::string> busy_;
  std::map<std::string, core::TimePoint> wakes_;
};

}  // namespace sampan::ecs
