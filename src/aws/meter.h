// What /metrics tells of one operation: calls by outcome and the time they took. The counters are made at the
// first call, so that hundreds of operations nobody uses stay out of the page.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <string_view>

#include "core/metrics.h"

namespace sampan::aws {

enum class Outcome { kOk, kFault, kFailure };  // answered; the caller's fault; ours

class Meter {
 public:
  void count(std::string_view service, std::string_view operation, Outcome outcome,
             std::chrono::nanoseconds took);

 private:
  std::array<std::atomic<core::metrics::Counter*>, 3> calls_{};
  std::atomic<core::metrics::Counter*> microseconds_{nullptr};
};

}  // namespace sampan::aws
