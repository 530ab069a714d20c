// What a deployment asks AWS for, decided from values alone: the task definition of a compose service, its names
// and its ports. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/ecs.h"
#include "cli/compose.h"

namespace sampan::cli {

// How the description of a security group that `deploy` made begins; `rm` removes no other.
inline constexpr std::string_view kMadeByDeploy = "Made by sampan deploy for ";

// One service to bring up: what compose.yaml or `sampan deploy DIR` said, with its image built and pinned.
struct ServiceWish {
  std::string app;       // names the cluster's part, load balancer and log group
  ComposeService service;
  std::string image;     // "localhost:4566/app-web:3f1c…"
  std::string region;
  bool single = false;   // one service only: its names are the app's
};

struct Names {
  std::string family;          // task definition, service, target group
  std::string load_balancer;
  std::string log_group;       // "/sampan/<app>"
  std::string security_group;
};

Names names_of(const ServiceWish& wish);

api::ecs::RegisterTaskDefinitionRequest task_definition(const ServiceWish& wish);

// True when registering `wanted` would make a revision that differs from `current` in what runs.
bool differs(const api::ecs::RegisterTaskDefinitionRequest& wanted, const api::ecs::TaskDefinition& current);

// How a task ended, or what its health check says, in one line.
std::string ending_of(const api::ecs::Task& task);

// The URL people use: with the load balancer's name where several share a port.
std::string public_url(const std::string& dns_name, int port);

}  // namespace sampan::cli
