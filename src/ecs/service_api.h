// The ECS API: clusters, task definitions, tasks, services, deployments. The door of this folder.
//
// Handlers record what is wanted; reconcilers (task_reconciler.h, service_reconciler.h) make it so through
// the node link, the load balancers' targets and the VPC's interfaces. All state is rows in the store, so the
// process may end at any point: start() agrees with the node again.
//
// Everything on the control strand. The parts must outlive this object.
#pragma once

#include <memory>
#include <string>

#include "api/ecs.h"
#include "core/clock.h"
#include "core/random.h"
#include "elb/targets.h"
#include "image/catalog.h"
#include "io/executors.h"
#include "node/link.h"
#include "store/store.h"
#include "vpc/interfaces.h"

namespace sampan::ecs {

// What ECS works with.
struct Parts {
  store::Store& store;
  const core::Clock& clock;
  core::IdSource& ids;
  node::Link& link;
  vpc::Interfaces& interfaces;
  elb::Targets& targets;
  const image::Catalog& catalog;
  boost::asio::any_io_executor control;  // the control strand
};

// This machine, as a container instance for tasks of launch type EC2.
struct Machine {
  std::string account;
  std::string region;
  std::string cluster = "default";  // the cluster it registers into
  int cpu_units = 0;                // 1024 a core; 0: it is not registered
  int memory_mib = 0;
  std::string architecture = "x86_64";  // "arm64"
  std::string host_name;
};

struct Options {
  Machine machine;
  // A running task without load balancer and health check counts as healthy after this time. AWS: 40 s.
  core::Millis healthy_after = std::chrono::seconds(40);
  // The gap between starts of tasks that fail doubles from the first of these to the second.
  core::Millis first_restart_gap = std::chrono::seconds(1);
  core::Millis longest_restart_gap = std::chrono::minutes(15);
  // How long stopped tasks and inactive services can be described. AWS: at least an hour.
  core::Millis keep_stopped = std::chrono::hours(1);
  // Unstopped tasks on Fargate at once.
  int most_tasks = 1000;
  // How long a pending task's progress may wait to be stored together with something more urgent.
  core::Millis report_delay{50};
};

class State;
class Launcher;
class TaskReconciler;
class ServiceReconciler;

class EcsApi final : public api::ecs::ServiceApi {
 public:
  EcsApi(Parts parts, Options options);
  ~EcsApi() override;
  EcsApi(const EcsApi&) = delete;
  EcsApi& operator=(const EcsApi&) = delete;

  // Registers this machine, hears the node and the balancers, agrees with them, begins to reconcile. Once.
  io::Awaitable<void> start();
  // Nothing is reconciled from here on; tasks and targets stay as they are. The object must live on until the
  // control strand runs no more.
  void stop();
  // The images that deployments of services and tasks which have not ended were fixed to: collection leaves
  // them alone.
  std::vector<image::Digest> images_in_use() const;
  // Looks at once at everything that waits for time: for tests that own the clock.
  void kick();

  template <class T>
  using Answer = boost::asio::awaitable<T>;
  using Call = aws::Call;

#define SAMPAN_ECS_OPERATION(Name) \
  Answer<api::ecs::Name##Output> Name(const Call& call, api::ecs::Name##Input input) override
  // clusters.cpp, cluster_capacity.cpp
  SAMPAN_ECS_OPERATION(CreateCluster);
  SAMPAN_ECS_OPERATION(DescribeClusters);
  SAMPAN_ECS_OPERATION(ListClusters);
  SAMPAN_ECS_OPERATION(DeleteCluster);
  SAMPAN_ECS_OPERATION(UpdateCluster);
  SAMPAN_ECS_OPERATION(UpdateClusterSettings);
  SAMPAN_ECS_OPERATION(PutClusterCapacityProviders);
  SAMPAN_ECS_OPERATION(DescribeCapacityProviders);
  // definitions.cpp, definition_lists.cpp
  SAMPAN_ECS_OPERATION(RegisterTaskDefinition);
  SAMPAN_ECS_OPERATION(DescribeTaskDefinition);
  SAMPAN_ECS_OPERATION(DeregisterTaskDefinition);
  SAMPAN_ECS_OPERATION(DeleteTaskDefinitions);
  SAMPAN_ECS_OPERATION(ListTaskDefinitions);
  SAMPAN_ECS_OPERATION(ListTaskDefinitionFamilies);
  // run_task.cpp, tasks.cpp
  SAMPAN_ECS_OPERATION(RunTask);
  SAMPAN_ECS_OPERATION(StopTask);
  SAMPAN_ECS_OPERATION(DescribeTasks);
  SAMPAN_ECS_OPERATION(ListTasks);
  // services.cpp, service_update.cpp, service_lists.cpp
  SAMPAN_ECS_OPERATION(CreateService);
  SAMPAN_ECS_OPERATION(UpdateService);
  SAMPAN_ECS_OPERATION(DeleteService);
  SAMPAN_ECS_OPERATION(DescribeServices);
  SAMPAN_ECS_OPERATION(ListServices);
  // service_deployments.cpp
  SAMPAN_ECS_OPERATION(DescribeServiceDeployments);
  SAMPAN_ECS_OPERATION(DescribeServiceRevisions);
  SAMPAN_ECS_OPERATION(ListServiceDeployments);
  // tags.cpp
  SAMPAN_ECS_OPERATION(TagResource);
  SAMPAN_ECS_OPERATION(UntagResource);
  SAMPAN_ECS_OPERATION(ListTagsForResource);
  // instances.cpp
  SAMPAN_ECS_OPERATION(ListContainerInstances);
  SAMPAN_ECS_OPERATION(DescribeContainerInstances);
  SAMPAN_ECS_OPERATION(UpdateContainerInstancesState);
#undef SAMPAN_ECS_OPERATION

 private:
  // The cluster a call names ("default" if it names none); ClusterNotFoundException when it is absent or
  // INACTIVE. Good until the next suspension.
  const api::ecs::Cluster& cluster_of(const Call& call, const std::optional<std::string>& reference,
                                      std::string& name) const;
  api::ecs::Cluster shown_cluster(const api::ecs::Cluster& row, const std::string& key,
                                  const std::optional<std::vector<std::string>>& include) const;
  api::ecs::ContainerInstance shown_instance(const api::ecs::ContainerInstance& row,
                                             const std::string& key) const;
  io::Awaitable<void> register_machine();

  Parts parts_;
  Options options_;
  std::unique_ptr<State> state_;
  std::unique_ptr<Launcher> launcher_;
  std::unique_ptr<TaskReconciler> tasks_;
  std::unique_ptr<ServiceReconciler> services_;
};

}  // namespace sampan::ecs
