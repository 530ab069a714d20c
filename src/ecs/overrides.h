// What RunTask may change of a task definition for one task. Pure.
#pragma once

#include "api/ecs.h"

namespace sampan::ecs {

// Throws InvalidParameterException: unknown container, too long, a size that cannot be.
void check_overrides(const api::ecs::TaskOverride& overrides, const api::ecs::TaskDefinition& definition,
                     bool fargate);

// As Describe shows it: an entry for each container, whether overridden or not.
api::ecs::TaskOverride shown_overrides(const std::optional<api::ecs::TaskOverride>& overrides,
                                       const api::ecs::TaskDefinition& definition);

// The definition with the overrides in it: command, environment (by name), sizes, roles, storage.
api::ecs::TaskDefinition merged_definition(const api::ecs::TaskDefinition& definition,
                                           const api::ecs::TaskOverride& overrides);

}  // namespace sampan::ecs
