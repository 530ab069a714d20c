// Keeps tasks' rows and the node of one mind.
//
//   rows → node: assign() what was stored, end() what shall stop (targets out, drained, then SIGTERM)
//   node → rows: reports, many in one transaction; a stopped task's row gives its interface back in the same
//   one
//
// Every step can be repeated and is begun again by start() from what the rows and the node say. Control
// strand.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ecs/service_api.h"
#include "ecs/state.h"

namespace sampan::ecs {

class TaskReconciler {
 public:
  TaskReconciler(State& state, const Parts& parts, const Options& options);

  // Hears the node and agrees with it on every task.
  void start();
  // Rows that are stored already go to the node, at once.
  void assign(const std::vector<std::string>& keys);
  // Rows whose desiredStatus STOPPED is stored already.
  void end(const std::vector<std::string>& keys);
  void stop();  // hears and does nothing more
  // Looks again at all that waits for time or for something that may have failed.
  void kick();
  // What left the target groups may be stopped.
  void target_changed(const elb::Target& target);

 private:
  using Batch = std::unordered_map<std::string, node::TaskReport>;

  void agree();
  void hear(const node::TaskReport& report);
  io::Awaitable<void> assign_task(std::string key);
  io::Awaitable<void> fail_to_start(std::string key, std::string why);
  io::Awaitable<void> end_task(std::string key);
  io::Awaitable<void> leave_targets(std::string key);
  bool drained(const TaskRow& row) const;
  io::Awaitable<void> take_reports();
  io::Awaitable<void> record(Batch batch);
  void write_reports(store::Txn& tx, const Batch& batch);
  io::Awaitable<void> disown(const node::TaskReport& report);
  io::Awaitable<void> sweep_forever();
  io::Awaitable<void> sweep();
  void spawn(std::string name, io::Awaitable<void> work);

  State& state_;
  Parts parts_;
  const Options& options_;
  io::Bell report_bell_;
  io::Bell sweep_bell_;
  Batch waiting_;  // the newest report of each task
  bool stopping_ = false;
  bool urgent_ = false;  // one of them must not wait for others
  std::unordered_set<std::string> assigning_;
  std::unordered_set<std::string> ending_;
  std::unordered_set<std::string> left_;  // tasks whose targets were removed
  std::unordered_set<std::string> told_;  // tasks the node was told to stop
};

}  // namespace sampan::ecs
