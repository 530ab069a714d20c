#include "logs/put_rules.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "logs/page.h"

namespace sampan::logs {

namespace model = api::logs;

namespace {

constexpr std::array kRetentions = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                    365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};
constexpr Millis kDay = 24LL * 3600 * 1000;

}  // namespace

void check_put(const std::vector<model::InputLogEvent>& events) {
  std::size_t bytes = 0;
  for (const auto& event : events) bytes += event.message.size() + kEventOverhead;
  if (bytes > kPutBytesLimit) {
    throw model::InvalidParameterException(
        fmt::format("Upload too large: {} bytes exceeds limit of {}", bytes, kPutBytesLimit));
  }
  if (!std::ranges::is_sorted(events, {}, &model::InputLogEvent::timestamp)) {
    throw model::InvalidParameterException(
        "Log events in a single PutLogEvents request must be in chronological order.");
  }
  if (!events.empty() && events.back().timestamp - events.front().timestamp > kPutSpan) {
    throw model::InvalidParameterException(
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
}

Sorted sort_out(std::vector<model::InputLogEvent> events, Millis now, std::optional<int> retention_days) {
  Sorted sorted;
  const Millis kept = kept_from(now, retention_days);
  int too_old_end = 0, expired_end = 0, too_new_start = static_cast<int>(events.size());
  for (int i = 0; i < static_cast<int>(events.size()); ++i) {
    auto& event = events[static_cast<std::size_t>(i)];
    if (event.timestamp < now - kTooOld) {
      too_old_end = i + 1;
    } else if (event.timestamp < kept) {
      expired_end = i + 1;
    } else if (event.timestamp > now + kTooNew) {
      too_new_start = std::min(too_new_start, i);
    } else {
      sorted.accepted.push_back({event.timestamp, std::move(event.message)});
    }
  }
  model::RejectedLogEventsInfo rejected;
  if (too_old_end > 0) rejected.tooOldLogEventEndIndex = too_old_end;
  if (expired_end > 0) rejected.expiredLogEventEndIndex = expired_end;
  if (too_new_start < static_cast<int>(events.size())) rejected.tooNewLogEventStartIndex = too_new_start;
  if (sorted.accepted.size() < events.size()) sorted.rejected = rejected;
  return sorted;
}

Millis kept_from(Millis now, std::optional<int> retention_days) {
  return retention_days ? now - *retention_days * kDay : 0;
}

void check_retention(int days) {
  if (std::ranges::find(kRetentions, days) != kRetentions.end()) return;
  throw model::InvalidParameterException(
      fmt::format("1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy "
                  "constraint: Member must "
                  "satisfy enum value set: [{}]",
                  days, fmt::join(kRetentions, ", ")));
}

}  // namespace sampan::logs
