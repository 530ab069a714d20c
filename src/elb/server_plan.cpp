#include "elb/server_plan.h"

#include <fmt/core.h>

#include "elb/haproxy_text.h"

namespace sampan::elb {
namespace {

using Duty = EdgeServer::Duty;
using Kind = ServerStep::Kind;

// Also of a server that is there already and drains: it is checked anew, like a target registered again.
std::string bring_in(const std::string& name, const EdgeServer& server, const Backend& backend, bool add) {
  auto text =
      add ? fmt::format("add server {} {}:{} {};", name, server.address, server.port, server_options(backend))
          : std::string();
  return text + fmt::format(
                    "set server {0} state drain;set server {0} health down;set server {0} state ready;enable "
                    "health {0}",
                    name);
}

std::string bring_in_twin(const std::string& name, const EdgeServer& server, const Backend& backend,
                          bool add) {
  if (!add) return fmt::format("set server {} state ready", name);
  return fmt::format("add server {0} {1}:{2} {3};enable server {0}", name, server.address, server.port,
                     twin_options(backend));
}

std::string remove(const std::string& name) {
  return fmt::format("set server {0} state maint;shutdown sessions server {0};del server {0}", name);
}

}  // namespace

RunningServers servers_in_file(const EdgeModel& model) {
  RunningServers servers;
  for (const auto& backend : model.backends) {
    auto& here = servers[backend.name];
    for (const auto& server : backend.servers) {
      if (server.duty == Duty::kServing) here[server.name] = ServerMode::kReady;
      if (server.duty == Duty::kServing || server.duty == Duty::kFailing)
        here[server.name + 'o'] = ServerMode::kReady;
    }
  }
  return servers;
}

RunningServers wanted_servers(const EdgeModel& model) {
  auto servers = servers_in_file(model);
  for (const auto& backend : model.backends) {
    for (const auto& server : backend.servers) {
      servers[backend.name][server.name] =
          server.duty == Duty::kDraining ? ServerMode::kDrain : ServerMode::kReady;
    }
  }
  return servers;
}

std::vector<ServerStep> plan_servers(const EdgeModel& model, const RunningServers& running) {
  std::vector<ServerStep> steps;
  const auto wanted = wanted_servers(model);
  const RunningServers::mapped_type none;
  for (const auto& backend : model.backends) {
    const auto found = running.find(backend.name);
    const auto& here = found == running.end() ? none : found->second;
    // New ones first, so that a group that is replaced as a whole never stands empty.
    for (const auto& server : backend.servers) {
      for (const bool twin : {false, true}) {
        const auto short_name = twin ? server.name + 'o' : server.name;
        const auto mode = wanted.at(backend.name).find(short_name);
        if (mode == wanted.at(backend.name).end()) continue;
        const auto is = here.find(short_name);
        const auto name = backend.name + '/' + short_name;
        if (mode->second == ServerMode::kDrain) {
          // One that never came in, or is gone with the process before, has nothing to drain.
          if (is == here.end() || is->second == ServerMode::kDrain) continue;
          steps.push_back(
              {Kind::kDrain, backend.name, short_name, fmt::format("set server {} state drain", name)});
        } else if (is == here.end() || is->second != ServerMode::kReady) {
          const bool add = is == here.end();
          steps.push_back(
              {Kind::kBringIn, backend.name, short_name,
               twin ? bring_in_twin(name, server, backend, add) : bring_in(name, server, backend, add)});
        }
      }
    }
    for (const auto& [short_name, mode] : here) {
      if (wanted.at(backend.name).contains(short_name)) continue;
      steps.push_back({Kind::kRemove, backend.name, short_name, remove(backend.name + '/' + short_name)});
    }
  }
  return steps;
}

std::string mark_up(const std::string& backend, const std::string& server) {
  return fmt::format("set server {}/{} health up", backend, server);
}

}  // namespace sampan::elb
