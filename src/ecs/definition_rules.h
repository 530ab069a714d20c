// What a task definition must be to be registered, and how it is stored. Pure: all faults are ClientException
// with AWS's text where it is known.
//
//   request → check_containers, check_ports, check_dependencies, … → defaults filled in → compatibilities
#pragma once

#include <optional>
#include <string>

#include "api/ecs.h"

namespace sampan::ecs {

// The definition as Describe shows it, but for its ARN, revision, status and registration.
api::ecs::TaskDefinition checked_definition(api::ecs::RegisterTaskDefinitionRequest request);

// Steps of it. The definition has its networkMode, and its task sizes are in units already.
void check_containers(const api::ecs::TaskDefinition& definition);
void check_ports(const api::ecs::TaskDefinition& definition);
void check_dependencies(const api::ecs::TaskDefinition& definition);
void check_volumes(const api::ecs::TaskDefinition& definition);
void fill_defaults(api::ecs::TaskDefinition& definition);
std::vector<api::ecs::Attribute> required_attributes(const api::ecs::TaskDefinition& definition);

// Why Fargate refuses it; nothing: it does not.
std::optional<std::string> fargate_problem(const api::ecs::TaskDefinition& definition);

// Tags of any resource: at most 50, no key twice, none that begins with "aws:". InvalidParameterException.
void check_tags(const std::optional<std::vector<api::ecs::Tag>>& tags);

}  // namespace sampan::ecs
