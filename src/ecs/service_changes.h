// One pass over one service, within a transaction: the plan becomes rows and events. Used by
// ServiceReconciler; knows no node and no balancer.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ecs/launcher.h"
#include "ecs/service_view.h"

namespace sampan::ecs {

class ServiceChanges {
 public:
  ServiceChanges(State& state, Launcher& launcher, core::IdSource& ids, store::Txn& tx, ServiceRow row,
                 core::TimePoint now);

  // Tasks whose targets were added.
  void mark_joined(const std::set<std::string>& keys);
  void set_desired(int count);  // DAEMON: as many as instances
  void apply(const ServicePlan& plan, const ServiceSight& sight);
  void save();  // if something changed

  const std::vector<std::string>& started() const { return started_; }
  const std::vector<std::string>& ended() const { return ended_; }
  const ServiceRow& row() const { return row_; }

 private:
  void tell(const std::string& message);
  void trouble(const std::string& message);  // not again while it stays the same
  void record_health(const ServicePlan& plan);
  void count_failed(const ServicePlan& plan);
  void stop(const ServicePlan& plan, const ServiceSight& sight);
  void tell_stops(const std::vector<TaskRow>& running, int pending);
  void start(const ServicePlan& plan);
  void conclude(const ServicePlan& plan);
  void fail(const ServicePlan& plan);
  LaunchSpec spec() const;
  std::string task_key(const std::string& id) const;

  State& state_;
  Launcher& launcher_;
  core::IdSource& ids_;
  store::Txn& tx_;
  ServiceRow row_;
  core::TimePoint now_;
  bool changed_ = false;
  std::vector<std::string> started_;
  std::vector<std::string> ended_;
};

// Shared with the handlers.
std::vector<TaskTarget> targets_of(const std::vector<api::ecs::LoadBalancer>& balancers);
std::string in_progress_text(const std::string& deployment);
// Appends to a service's events; the oldest beyond a hundred go.
void tell_event(State& state, store::Txn& tx, ServiceRow& row, core::IdSource& ids,
                const std::string& message, core::TimePoint now);
std::string events_prefix(const ServiceRow& row);

}  // namespace sampan::ecs
