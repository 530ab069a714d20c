// The history of a service's deployments and the revisions they went to, as DescribeServiceDeployments and
// DescribeServiceRevisions show them. Rows outlive the deployment in the service.
#pragma once

#include "core/random.h"
#include "ecs/state.h"

namespace sampan::ecs {

// Names the deployment's record and revision, and writes both. The deployment is the service's first already.
void open_record(State& state, store::Txn& tx, const ServiceRow& service, DeploymentRow& deployment,
                 core::IdSource& ids, core::TimePoint now);
void close_record(State& state, store::Txn& tx, const DeploymentRow& deployment, std::string_view status,
                  const std::string& reason, core::TimePoint now);

// What follows "service-deployment/" or "service-revision/" in an ARN, with the scope before it: the row's
// key.
std::string record_key(const std::string& arn);

}  // namespace sampan::ecs
