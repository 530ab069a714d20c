// Why another registry did not give what it was asked for.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace sampan::image {

class RegistryFailure : public core::Error {
 public:
  enum class Kind {
    kDenied,           // it wants another login, or this one may not
    kTooManyRequests,  // it asks for patience
    kUnavailable,      // it cannot be reached, or says it cannot serve
    kRefused,          // we do not go there: an untrusted certificate, an address that is out of bounds
    kWrong,            // what it sent is not what was asked for
  };
  RegistryFailure(Kind kind, std::string_view tried, std::string_view why,
                  std::optional<std::chrono::seconds> wait = std::nullopt)
      : core::Error(tried, why), kind_(kind), wait_(wait) {}
  Kind kind() const { return kind_; }
  std::optional<std::chrono::seconds> wait() const { return wait_; }  // as it asked for
  // Another try in a moment may do better.
  bool passing() const { return kind_ == Kind::kTooManyRequests || kind_ == Kind::kUnavailable; }

 private:
  Kind kind_;
  std::optional<std::chrono::seconds> wait_;
};

}  // namespace sampan::image
