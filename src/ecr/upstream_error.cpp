#include "ecr/upstream_error.h"

#include <fmt/core.h>

namespace sampan::ecr {

UpstreamError to_upstream_error(const image::RegistryFailure& failure) {
  using Kind = image::RegistryFailure::Kind;
  switch (failure.kind()) {
    case Kind::kDenied:
      return {UpstreamError::Why::kDenied,
              fmt::format(
                  "The authentication to the upstream registry failed. Verify that the credentials in the "
                  "rule's secret are valid: {}",
                  failure.what())};
    case Kind::kTooManyRequests:
      return {UpstreamError::Why::kTooManyRequests, failure.what(), failure.wait()};
    default:
      return {UpstreamError::Why::kUnavailable, failure.what(), failure.wait()};
  }
}

}  // namespace sampan::ecr
