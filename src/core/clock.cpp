#include "core/clock.h"

#include <fmt/core.h>

#include <cmath>

namespace sampan::core {

TimePoint SystemClock::now() const {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

double to_epoch_seconds(TimePoint time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1000.0;
}

TimePoint from_epoch_seconds(double seconds) {
  // A double holds today's seconds to less than a microsecond: rounding gives back the millisecond written.
  return TimePoint(Millis(std::llround(seconds * 1000.0)));
}

std::string to_iso8601(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace sampan::core
