// From a task's row and its definition to what the node is told. Pure.
#pragma once

#include <optional>
#include <string>

#include "ecs/rows.h"
#include "node/link.h"

namespace sampan::ecs {

node::TaskAssignment assignment_of(const TaskRow& row, const api::ecs::TaskDefinition& definition);

// What the definition asks for that no node here can do, in words for the caller; nothing: it can be run.
// A field is never ignored in silence.
std::optional<std::string> cannot_run(const api::ecs::TaskDefinition& definition,
                                      const std::string& architecture);

}  // namespace sampan::ecs
