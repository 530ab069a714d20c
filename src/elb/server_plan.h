// From the servers a process has to the servers it should have: commands for the admin socket. Pure.
//
// HAProxy's own order of things is in the way: a server that is added counts as up until its checks fail, and
// its first check comes a whole interval later. So it is added in drain, marked down, and only then made
// ready; `downinter` brings the first check after 0.3 s, and its first pass marks it up (mark_up()).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "elb/edge_model.h"

namespace sampan::elb {

enum class ServerMode { kReady, kDrain };

// Backend -> server -> mode, twins included.
using RunningServers = std::map<std::string, std::map<std::string, ServerMode>>;

struct ServerStep {
  enum class Kind { kBringIn, kDrain, kRemove };
  Kind kind = Kind::kBringIn;
  std::string backend;
  std::string server;
  std::string commands;  // for the admin socket
};

// What a fresh process started with this model's file has.
RunningServers servers_in_file(const EdgeModel& model);
// What it should have; failing and probing ones too.
RunningServers wanted_servers(const EdgeModel& model);

std::vector<ServerStep> plan_servers(const EdgeModel& model, const RunningServers& running);

// The command for a target's first passed check.
std::string mark_up(const std::string& backend, const std::string& server);

}  // namespace sampan::elb
