// Makes tasks: checks what a caller wants of their network and capacity, places them, and puts their rows and
// network interfaces into the caller's transaction. Used by RunTask and by services. Control strand.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ecs/placement.h"
#include "ecs/service_api.h"
#include "ecs/state.h"
#include "ecs/task_shape.h"

namespace sampan::ecs {

// What a caller wants of several equal tasks.
struct LaunchSpec {
  Scope scope;
  std::string cluster;
  api::ecs::TaskDefinition definition;
  std::string launch_type;  // FARGATE or EC2; empty: by strategy
  std::vector<api::ecs::CapacityProviderStrategyItem> strategy;
  std::optional<api::ecs::NetworkConfiguration> network;
  TaskWish wish;  // group, tags, overrides, targets …; where and how it runs is filled in here
};

// A task that could not be placed: the failures of RunTask, the trouble of a service.
struct Unplaced {
  std::vector<api::ecs::Failure> failures;
  std::string trouble;  // "no container instance met all of its requirements. Reason: …"
};

struct Launched {
  std::vector<TaskRow> tasks;
  std::optional<Unplaced> unplaced;  // why there are fewer than wanted
};

class Launcher {
 public:
  Launcher(State& state, const Parts& parts, const Options& options);

  // InvalidParameterException and ClientException for what cannot be: launch type, network configuration.
  void check(const LaunchSpec& spec) const;
  // The launch type and strategy a call means: its own, the cluster's default strategy, or EC2.
  void choose_capacity(
      LaunchSpec& spec, const api::ecs::Cluster& cluster, const std::optional<std::string>& launch_type,
      const std::optional<std::vector<api::ecs::CapacityProviderStrategyItem>>& strategy) const;
  // Digests of the images whose tags this Sampan's registry knows.
  std::map<std::string, std::string> resolve_images(const Scope& scope,
                                                    const api::ecs::TaskDefinition& definition) const;
  // Puts up to `count` tasks into `tx`. Stops at the first that has no place.
  Launched launch(store::Txn& tx, const LaunchSpec& spec, int count, core::TimePoint now);
  // What is left on the ACTIVE container instances of a cluster.
  std::vector<InstanceRoom> rooms(const std::string& cluster_key) const;

 private:
  void check_network(const LaunchSpec& spec) const;
  std::map<std::string, int> subnet_load(const LaunchSpec& spec) const;
  std::map<std::string, int> provider_load(const LaunchSpec& spec) const;
  std::optional<Unplaced> place(const LaunchSpec& spec, TaskWish& wish,
                                std::vector<InstanceRoom>& rooms) const;
  TaskIds new_ids(const api::ecs::TaskDefinition& definition) const;

  State& state_;
  Parts parts_;
  const Options& options_;
};

}  // namespace sampan::ecs
