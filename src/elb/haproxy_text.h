// The rule compiler: an EdgeModel as one HAProxy configuration. Pure; the tests run the real `haproxy -c` on
// it.
//
//   frontend port_80 { which load balancer (by Host) -> its rules in order -> txn.tg } -> backend tg_… ->
//   servers
//
// The text has everything that a fresh process needs to serve at once: healthy targets. Those that are new,
// failing or draining are the runtime API's (server_plan.h), because a server from the file counts as up
// until its checks say otherwise.
#pragma once

#include <filesystem>
#include <string>

#include "elb/edge_model.h"

namespace sampan::elb {

struct HaproxySettings {
  std::string address = "127.0.0.1";  // where listeners listen
  std::filesystem::path admin_socket;
  std::filesystem::path log_socket;
  std::string user;  // empty: stay who we are
  std::string group;
  int threads = 2;
  int max_connections = 10000;
};

std::string render_haproxy(const EdgeModel& model, const HaproxySettings& settings);

// A hash of everything but the servers: when it differs, a new process is needed. It is in the text as the
// process's description, so that a running process tells what it was started for.
std::string structure_of(const EdgeModel& model, const HaproxySettings& settings);

// The words after "server NAME ADDR:PORT" of a checked server and of its twin: the same in the file and at
// run time.
std::string server_options(const Backend& backend);
std::string twin_options(const Backend& backend);

}  // namespace sampan::elb
