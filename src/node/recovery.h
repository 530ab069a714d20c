// What a new life of the agent makes of what the last one left: the tasks on the disk, compared with what
// still runs. Containers ran on meanwhile; their ends were kept by their monitors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/launcher.h"
#include "node/network.h"
#include "node/record.h"
#include "runtime/container.h"

namespace sampan::node {

enum class Adoption {
  kKeep,
  kClear  // something half-made, or of no use any more: to be removed
};

// Brings `facts` up to what is seen. Pure. A container that had not run yet begins anew; one that ran and
// whose end nobody saw is stopped without an exit code.
Adoption adopt_container(ContainerFacts& facts, const runtime::Observation& seen, bool sandbox_stands,
                         core::TimePoint now);

struct RecoveredTask {
  Intent intent;
  Record record;
  std::optional<Sandbox> sandbox;  // that stands
};

// Blocking. Removes what belongs to no task; logs what cannot be read or removed and goes on.
std::vector<RecoveredTask> recover_tasks(const std::filesystem::path& containers, Launcher& launcher,
                                         runtime::Runtime& runtime, const runtime::Cgroups& cgroups,
                                         Network& network, const std::string& instance, core::TimePoint now);

}  // namespace sampan::node
