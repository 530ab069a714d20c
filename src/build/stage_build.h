// One stage from its FROM to its last instruction. Blocking: runs on one of the build's threads.
#pragma once

#include <map>

#include "build/site.h"

namespace sampan::build {

// `first_step` is the number of its FROM. `finished` holds every stage that this one needs.
StageResult build_stage(const BuildSite& site, const PlannedStage& planned,
                        const std::map<std::size_t, StageResult>& finished, int first_step);

}  // namespace sampan::build
