// A new task's row: pure, from the definition and what the caller wants. The network interface comes after
// it, in the transaction that stores it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ecs/rows.h"
#include "vpc/interfaces.h"

namespace sampan::ecs {

// What to start.
struct TaskWish {
  Scope scope;
  std::string cluster;
  std::string launch_type;        // FARGATE or EC2
  std::string capacity_provider;  // empty: launched by type
  std::string platform_version;
  std::string container_instance_arn;  // EC2: where it was placed
  std::string availability_zone;       // EC2: that instance's
  std::string architecture = "x86_64";
  std::optional<api::ecs::TaskOverride> overrides;
  std::string group;
  std::string started_by;
  std::string service;
  std::string deployment;
  std::vector<Tag> tags;
  bool execute_command = false;
  std::vector<TaskTarget> targets;
  std::map<std::string, std::string> digests;
};

// Ids that a task is made with.
struct TaskIds {
  std::string task;                     // 32 hex digits
  std::string attachment;               // uuid
  std::vector<std::string> containers;  // a uuid each
};

TaskRow new_task(const TaskWish& wish, const api::ecs::TaskDefinition& definition, const TaskIds& ids,
                 core::TimePoint now);

// Puts the interface into the row: assignment, attachment, zone.
void attach_interface(TaskRow& row, const vpc::Interface& interface);

// "1.4.0" for LATEST, "" and itself; PlatformUnknownException otherwise.
std::string resolve_platform(const std::optional<std::string>& version);

}  // namespace sampan::ecs
