#include "aws/meter.h"

#include <string>

namespace sampan::aws {

void Meter::count(std::string_view service, std::string_view operation, Outcome outcome,
                  std::chrono::nanoseconds took) {
  static constexpr std::string_view kNames[] = {"ok", "fault", "failure"};
  const auto which = static_cast<std::size_t>(outcome);
  auto* calls = calls_[which].load(std::memory_order_acquire);
  if (!calls) {  // two threads may both come here; they are given the same counter
    calls = &core::metrics::counter("sampan_api_calls_total", "AWS API calls answered",
                                    {{"service", std::string(service)},
                                     {"operation", std::string(operation)},
                                     {"outcome", std::string(kNames[which])}});
    calls_[which].store(calls, std::memory_order_release);
  }
  auto* time = microseconds_.load(std::memory_order_acquire);
  if (!time) {
    time =
        &core::metrics::counter("sampan_api_call_microseconds_total", "Time spent on AWS API calls",
                                {{"service", std::string(service)}, {"operation", std::string(operation)}});
    microseconds_.store(time, std::memory_order_release);
  }
  calls->add();
  time->add(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
}

}  // namespace sampan::aws
