// What PutLogEvents takes, and how long events are kept. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
#pragma once

#include <optional>
#include <vector>

#include "api/logs.h"
#include "logs/event.h"

namespace sampan::logs {

inline constexpr std::size_t kPutBytesLimit = 1'048'576;  // messages and 26 bytes for each event
inline constexpr Millis kTooNew = 2LL * 3600 * 1000;
inline constexpr Millis kTooOld = 14LL * 24 * 3600 * 1000;
inline constexpr Millis kPutSpan = 24LL * 3600 * 1000;

// InvalidParameterException: not in order of time, more than a day apart, too large.
void check_put(const std::vector<api::logs::InputLogEvent>& events);

struct Sorted {
  std::vector<NewEvent> accepted;
  std::optional<api::logs::RejectedLogEventsInfo> rejected;
};
Sorted sort_out(std::vector<api::logs::InputLogEvent> events, Millis now, std::optional<int> retention_days);

// The first time that the retention still keeps; 0 when it keeps all.
Millis kept_from(Millis now, std::optional<int> retention_days);

// InvalidParameterException: not one of AWS's numbers.
void check_retention(int days);

}  // namespace sampan::logs
