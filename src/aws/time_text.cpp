#include "aws/time_text.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>

namespace sampan::aws {
namespace {

using namespace std::chrono;

// The first instant that is too far away for a timestamp, in seconds: year 10000.
constexpr double kFarSeconds = 253402300800.0;

// `digits` decimal digits at `at`, which moves past them.
std::optional<int> take_number(std::string_view text, std::size_t& at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  for (const auto end = at + digits; at < end; ++at) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool take(std::string_view text, std::size_t& at, char c) {
  if (at >= text.size() || text[at] != c) return false;
  ++at;
  return true;
}

std::optional<sys_days> date(std::optional<int> y, std::optional<int> m, std::optional<int> d) {
  if (!y || !m || !d) return std::nullopt;
  const year_month_day day{year(*y), month(static_cast<unsigned>(*m)),
                           std::chrono::day(static_cast<unsigned>(*d))};
  if (!day.ok()) return std::nullopt;
  return sys_days(day);
}

std::optional<seconds> time_of_day(std::optional<int> h, std::optional<int> m, std::optional<int> s) {
  if (!h || !m || !s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  return hours(*h) + minutes(*m) + seconds(*s);
}

milliseconds take_fraction(std::string_view text, std::size_t& at) {
  if (!take(text, at, '.')) return {};
  int value = 0, digits = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (digits < 3) value = value * 10 + (text[at] - '0'), ++digits;
  }
  for (; digits < 3; ++digits) value *= 10;
  return milliseconds(value);
}

}  // namespace

std::optional<core::TimePoint> parse_iso8601(std::string_view text) {
  std::size_t at = 0;
  const auto y = take_number(text, at, 4);
  if (!take(text, at, '-')) return std::nullopt;
  const auto m = take_number(text, at, 2);
  if (!take(text, at, '-')) return std::nullopt;
  const auto day = date(y, m, take_number(text, at, 2));
  if (!day) return std::nullopt;
  if (at == text.size()) return core::TimePoint(*day);
  if (!take(text, at, 'T') && !take(text, at, ' ')) return std::nullopt;
  const auto hour = take_number(text, at, 2);
  if (!take(text, at, ':')) return std::nullopt;
  const auto minute = take_number(text, at, 2);
  std::optional<int> second = 0;
  if (take(text, at, ':')) second = take_number(text, at, 2);
  const auto clock = time_of_day(hour, minute, second);
  if (!clock) return std::nullopt;
  auto time = core::TimePoint(*day) + *clock + take_fraction(text, at);
  if (at == text.size() || (take(text, at, 'Z') && at == text.size())) return time;
  const bool west = take(text, at, '-');
  if (!west && !take(text, at, '+')) return std::nullopt;
  const auto zone_hour = take_number(text, at, 2);
  take(text, at, ':');
  const auto zone_minute = take_number(text, at, 2);
  if (!zone_hour || !zone_minute || at != text.size()) return std::nullopt;
  const auto zone = hours(*zone_hour) + minutes(*zone_minute);
  return west ? time + zone : time - zone;
}

std::optional<core::TimePoint> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  std::size_t at = 0;
  const auto y = take_number(text, at, 4), m = take_number(text, at, 2), d = take_number(text, at, 2);
  ++at;
  const auto hour = take_number(text, at, 2), minute = take_number(text, at, 2), s = take_number(text, at, 2);
  const auto day = date(y, m, d);
  const auto clock = time_of_day(hour, minute, s);
  if (!day || !clock) return std::nullopt;
  return core::TimePoint(*day) + *clock;
}

std::string to_amz_date(core::TimePoint time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time - day));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

void append_epoch_seconds(core::TimePoint time, std::string& out) {
  const auto whole = floor<seconds>(time);
  const auto rest = (time - whole).count();
  if (whole.time_since_epoch().count() < 0 && rest != 0) {  // -1.5 s is not "-2.500"
    out += fmt::format("{:.3f}", static_cast<double>(time.time_since_epoch().count()) / 1000.0);
    return;
  }
  fmt::format_to(std::back_inserter(out), "{}", whole.time_since_epoch().count());
  if (rest != 0) fmt::format_to(std::back_inserter(out), ".{:03}", rest);
}

std::optional<core::TimePoint> parse_epoch_seconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(std::fabs(value) < kFarSeconds)) return std::nullopt;
  return core::TimePoint(milliseconds(std::llround(value * 1000.0)));
}

}  // namespace sampan::aws
