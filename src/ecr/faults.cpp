#include "ecr/faults.h"

#include <fmt/core.h>

namespace sampan::ecr {
namespace api = sampan::api::ecr;

void throw_fault(const Refusal& refusal) {
  using Why = Refusal::Why;
  switch (refusal.why()) {
    case Why::kNoRepository:
      throw api::RepositoryNotFoundException(refusal.what());
    case Why::kRepositoryExists:
      throw api::RepositoryAlreadyExistsException(refusal.what());
    case Why::kRepositoryNotEmpty:
      throw api::RepositoryNotEmptyException(refusal.what());
    case Why::kTagImmutable:
      throw api::ImageTagAlreadyExistsException(refusal.what());
    case Why::kTooManyTags:
    case Why::kOverQuota:
      throw api::LimitExceededException(refusal.what());
    case Why::kBlobsMissing:
      throw api::LayersNotFoundException(refusal.what());
    case Why::kImagesMissing:
      throw api::ReferencedImagesNotFoundException(refusal.what());
    default:
      throw api::ImageNotFoundException(refusal.what());
  }
}

std::string no_image_text(const RepositoryId& repository, const api::ImageIdentifier& image) {
  return fmt::format(
      "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with "
      "name "
      "'{}' in the registry with id '{}'",
      image.imageDigest.value_or("null"), image.imageTag.value_or("null"), repository.name,
      repository.account);
}

}  // namespace sampan::ecr
