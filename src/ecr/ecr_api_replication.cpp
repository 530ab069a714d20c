// The ECR API: the registry as a whole, and its replication.
#include "ecr/ecr_api.h"
#include "ecr/faults.h"
#include "ecr/replication.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;

EcrApi::Answer<api::PutReplicationConfigurationOutput> EcrApi::PutReplicationConfiguration(
    const aws::Call& call, api::PutReplicationConfigurationInput in) {
  co_await parts_.replication.configure(call.account, call.region, in.replicationConfiguration);
  api::PutReplicationConfigurationOutput out;
  out.replicationConfiguration = std::move(in.replicationConfiguration);
  co_return out;
}

EcrApi::Answer<api::DescribeRegistryOutput> EcrApi::DescribeRegistry(const aws::Call& call,
                                                                     api::DescribeRegistryInput) {
  api::DescribeRegistryOutput out;
  out.registryId = call.account;
  out.replicationConfiguration = parts_.replication.configuration(call.account, call.region);
  co_return out;
}

EcrApi::Answer<api::DescribeImageReplicationStatusOutput> EcrApi::DescribeImageReplicationStatus(
    const aws::Call& call, api::DescribeImageReplicationStatusInput in) {
  const auto id = repository_of(call, in);
  require(id);
  if (!in.imageId.imageDigest && !in.imageId.imageTag) {
    throw api::InvalidParameterException("Invalid request parameters: both tag and digest cannot be null");
  }
  const auto digest = resolve(id, in.imageId);
  if (!digest) throw api::ImageNotFoundException(no_image_text(id, in.imageId));
  api::DescribeImageReplicationStatusOutput out;
  out.repositoryName = id.name;
  out.imageId = in.imageId;
  out.imageId->imageDigest = digest->str();
  auto& statuses = out.replicationStatuses.emplace();
  for (const auto& standing : parts_.replication.standing(id, *digest)) {
    auto& status = statuses.emplace_back();
    status.region = standing.destination.region;
    status.registryId = standing.destination.account;
    status.status = to_text(standing.row.status);
    if (standing.row.status == ReplicationRow::Status::kFailed)
      status.failureCode = standing.row.failure_code;
  }
  co_return out;
}

}  // namespace sampan::ecr
