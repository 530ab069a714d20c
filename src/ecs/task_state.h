// How a task's row follows the node's reports. Pure. Known state never goes backwards; reports may be
// repeated.
#pragma once

#include "ecs/rows.h"
#include "node/link.h"

namespace sampan::ecs {

// Takes the report into the row; false: it told nothing new. `definition` says which containers are essential
// and checked (nullptr: it is gone, then all count).
bool apply_report(TaskRow& row, const node::TaskReport& report, const api::ecs::TaskDefinition* definition,
                  core::TimePoint now);

// Makes the row's task end: desiredStatus, stop code and reason, and DEACTIVATING when it stands in target
// groups. False: it was to end already.
bool want_stopped(TaskRow& row, std::string_view stop_code, const std::string& reason, core::TimePoint now);

// The task never came to a node, or the node lost it.
void end_without_node(TaskRow& row, std::string_view stop_code, const std::string& reason,
                      core::TimePoint now);

}  // namespace sampan::ecs
