// How a service looks in answers: its row with deployments, counts and events put in.
#pragma once

#include "ecs/state.h"

namespace sampan::ecs {

api::ecs::Service shown_service(const State& state, const ServiceRow& row, bool with_tags);

}  // namespace sampan::ecs
