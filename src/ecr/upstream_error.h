// Why something could not be had from an upstream registry. Each front door has its own words for these.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "image/registry_failure.h"

namespace sampan::ecr {

class UpstreamError : public std::runtime_error {
 public:
  enum class Why {
    kAbsent,  // upstream has no such thing
    kDenied,  // upstream, or the secret for it
    kTooManyRequests,
    kUnavailable,
  };
  UpstreamError(Why why, const std::string& message, std::optional<std::chrono::seconds> wait = std::nullopt)
      : std::runtime_error(message), why_(why), wait_(wait) {}
  Why why() const { return why_; }
  std::optional<std::chrono::seconds> wait() const { return wait_; }

 private:
  Why why_;
  std::optional<std::chrono::seconds> wait_;
};

UpstreamError to_upstream_error(const image::RegistryFailure& failure);

}  // namespace sampan::ecr
