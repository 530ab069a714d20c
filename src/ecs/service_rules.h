// What a service may be, as CreateService and UpdateService check it, and how a deployment of it begins.
#pragma once

#include <string>
#include <vector>

#include "ecs/launcher.h"
#include "elb/targets.h"

namespace sampan::ecs {

// What cannot be, before anything is looked up. InvalidParameterException and the like.
void check_create_request(const api::ecs::CreateServiceRequest& input);
void check_deployment_configuration(const std::optional<api::ecs::DeploymentConfiguration>& wanted,
                                    bool daemon);
void check_unsupported(const std::optional<std::vector<api::ecs::ServiceRegistry>>& registries,
                       const std::optional<api::ecs::ServiceConnectConfiguration>& connect,
                       const std::optional<std::vector<api::ecs::ServiceVolumeConfiguration>>& volumes,
                       const std::optional<std::vector<api::ecs::VpcLatticeConfiguration>>& lattice);
void check_controller(const std::optional<api::ecs::DeploymentController>& controller);
void check_desired(int desired);

// Target groups, containers and ports exist and fit.
void check_load_balancers(const std::vector<api::ecs::LoadBalancer>& balancers,
                          const api::ecs::TaskDefinition& definition, const elb::Targets& targets);

// The configuration with every default written out.
api::ecs::DeploymentConfiguration full_configuration(
    const std::optional<api::ecs::DeploymentConfiguration>& wanted,
    const std::optional<api::ecs::DeploymentConfiguration>& before, bool daemon);

// A deployment that starts now: becomes the service's first, the one before it is superseded.
void begin_deployment(State& state, store::Txn& tx, ServiceRow& row, DeploymentRow deployment,
                      core::IdSource& ids, core::TimePoint now);

}  // namespace sampan::ecs
