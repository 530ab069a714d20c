// The ECR API: the signing configuration, and what became of an image by it.
#include <fmt/core.h>

#include "ecr/ecr_api.h"
#include "ecr/faults.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

api::SigningConfigurationNotFoundException no_configuration(const std::string& account) {
  return api::SigningConfigurationNotFoundException(
      fmt::format("Signing configuration does not exist in the registry with id '{}'", account));
}

}  // namespace

EcrApi::Answer<api::PutSigningConfigurationOutput> EcrApi::PutSigningConfiguration(
    const aws::Call& call, api::PutSigningConfigurationInput in) {
  co_await parts_.signing.put(call.account, call.region, in.signingConfiguration);
  api::PutSigningConfigurationOutput out;
  out.signingConfiguration = std::move(in.signingConfiguration);
  co_return out;
}

EcrApi::Answer<api::GetSigningConfigurationOutput> EcrApi::GetSigningConfiguration(
    const aws::Call& call, api::GetSigningConfigurationInput) {
  const auto* found = parts_.signing.find(call.account, call.region);
  if (!found) throw no_configuration(call.account);
  api::GetSigningConfigurationOutput out;
  out.registryId = call.account;
  out.signingConfiguration = *found;
  co_return out;
}

EcrApi::Answer<api::DeleteSigningConfigurationOutput> EcrApi::DeleteSigningConfiguration(
    const aws::Call& call, api::DeleteSigningConfigurationInput) {
  auto had = co_await parts_.signing.remove(call.account, call.region);
  if (!had) throw no_configuration(call.account);
  api::DeleteSigningConfigurationOutput out;
  out.registryId = call.account;
  out.signingConfiguration = std::move(*had);
  co_return out;
}

EcrApi::Answer<api::DescribeImageSigningStatusOutput> EcrApi::DescribeImageSigningStatus(
    const aws::Call& call, api::DescribeImageSigningStatusInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto digest = resolve(id, in.imageId);
  if (!digest) throw api::ImageNotFoundException(no_image_text(id, in.imageId));
  api::DescribeImageSigningStatusOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  auto& image = out.imageId.emplace();
  image.imageDigest = digest->str();
  image.imageTag = in.imageId.imageTag;
  auto& statuses = out.signingStatuses.emplace();
  const auto* configuration = parts_.signing.find(id.account, id.region);
  // A signature is not signed in its turn.
  if (!configuration || repositories_.find_image(id, *digest)->subject) co_return out;
  for (auto& profile : signing_profiles(*configuration, id.name)) {
    auto& status = statuses.emplace_back();
    status.signingProfileArn = std::move(profile);
    status.status = "FAILED";
    status.failureCode = "SignerNotAvailable";
    status.failureReason =
        "There is no AWS Signer here. Sign with a client of your own (notation, cosign): ListImageReferrers "
        "lists its "
        "signatures.";
  }
  co_return out;
}

}  // namespace sampan::ecr
