// All of ECS's rows as tables, and what is counted or found faster than by walking them. Owned by EcsApi,
// used by its handlers and reconcilers; everything on the control strand.
//
// Keys: ACCOUNT/REGION/CLUSTER, …/CLUSTER/TASK, …/CLUSTER/SERVICE, …/FAMILY, …/FAMILY/REVISION,
// …/CLUSTER/SERVICE/INCARNATION/NUMBER (events).
#pragma once

#include <functional>
#include <set>
#include <string>
#include <unordered_map>

#include "ecs/rows.h"
#include "store/table.h"

namespace sampan::ecs {

struct ClusterCounts {
  int running = 0;  // by lastStatus
  int pending = 0;
  int unstopped = 0;      // tasks of any status but STOPPED
  int services = 0;       // ACTIVE
  int live_services = 0;  // ACTIVE or DRAINING
};

class State {
 public:
  explicit State(store::Store& store);

  store::Store& store;
  store::Table<api::ecs::Cluster> clusters;
  store::Table<FamilyRow> families;
  store::Table<DefinitionRow> definitions;
  store::Table<TaskRow> tasks;
  store::Table<ServiceRow> services;
  store::Table<api::ecs::ServiceEvent> events;
  store::Table<api::ecs::ContainerInstance> instances;
  store::Table<TokenRow> tokens;
  store::Table<api::ecs::ServiceDeployment> deployment_records;  // by what follows "service-deployment/"
  store::Table<api::ecs::ServiceRevision> revisions;             // by what follows "service-revision/"

  const ClusterCounts& counts(const std::string& cluster_key) const;
  // Keys of a service's tasks, stopped ones too.
  const std::set<std::string>& tasks_of(const std::string& service_key) const;
  // The key of a task by its id alone; empty: unknown.
  const std::string& task_key(const std::string& id) const;
  // Keys of unstopped tasks that have this address.
  const std::set<std::string>& tasks_at(const std::string& address) const;
  // Unstopped tasks and live services that refer to a task definition's ARN.
  int uses_of(const std::string& definition_arn) const;
  // Every row under `prefix`, in key order.
  template <class T, class F>
  static void each(const store::Table<T>& table, const std::string& prefix, F visit) {
    for (auto at = table.lower_bound(prefix); at != table.end() && at->first.starts_with(prefix); ++at) {
      visit(at->first, at->second.value);
    }
  }
  // The newest active revision of a family; nullptr: none.
  const DefinitionRow* newest_active(const Scope& scope, const std::string& family) const;
  const DefinitionRow* find_definition(const Scope& scope, std::string_view reference) const;

 private:
  void count_task(const TaskRow& row, int by);
  void index_task(const std::string& key, const TaskRow* before, const TaskRow* after);
  void index_service(const ServiceRow* before, const ServiceRow* after);

  std::unordered_map<std::string, ClusterCounts> counts_;
  std::unordered_map<std::string, std::set<std::string>> by_service_;
  std::unordered_map<std::string, std::string> by_id_;
  std::unordered_map<std::string, std::set<std::string>> by_address_;
  std::unordered_map<std::string, int> uses_;
};

}  // namespace sampan::ecs
