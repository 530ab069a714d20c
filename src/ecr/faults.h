// Turns the registry's refusals into the ECR API's exceptions.
#pragma once

#include "api/ecr.h"
#include "ecr/repositories.h"

namespace sampan::ecr {

[[noreturn]] void throw_fault(const Refusal& refusal);

// "The image with imageId {imageDigest:'…', imageTag:'…'} does not exist within the repository …"
std::string no_image_text(const RepositoryId& repository, const api::ecr::ImageIdentifier& image);

}  // namespace sampan::ecr
