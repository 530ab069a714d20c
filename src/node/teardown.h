// Takes everything of an instance off the machine: containers and their monitors, mounts, control groups,
// namespaces, links, tables and the rules in other programs' chains. The data stay. Needs no daemon: it
// reads what the last one left under its directories and finds the rest by the instance's name. Blocking.
//
// No daemon of this instance may run meanwhile: it would make things again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/cgroup.h"
#include "runtime/container.h"

namespace sampan::node {

struct TeardownRequest {
  std::filesystem::path data_dir;
  std::filesystem::path run_dir;
  std::string instance;
};

// Does all it can; the answer says what could not be done (empty: nothing is left). May be repeated.
std::vector<std::string> teardown_everything(const TeardownRequest& request, runtime::Runtime& runtime,
                                             const runtime::Cgroups& cgroups);
// The network's part alone.
std::vector<std::string> teardown_network(const std::filesystem::path& run_dir, const std::string& instance);

}  // namespace sampan::node
