#include "image/retry.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/text.h"

namespace sampan::image {
namespace {

constexpr std::int64_t kMostSeconds = 30LL * 24 * 3600;

std::optional<unsigned> month_of(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<unsigned>(found - kMonths.begin()) + 1;
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that is still sent.
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) {
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const auto number = [text](std::size_t at, std::size_t count) {
    const auto digits = text.substr(at, count);
    return digits.find_first_not_of("0123456789") == std::string_view::npos ? core::parse_int(digits)
                                                                            : std::nullopt;
  };
  const auto day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2),
             second = number(23, 2);
  const auto month = month_of(text.substr(8, 3));
  if (!day || !year || !hour || !minute || !second || !month) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::chrono::sys_seconds now) {
  text = core::trim(text);
  if (text.empty()) return std::nullopt;
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    const auto seconds = core::parse_int(text);
    return std::chrono::seconds(std::min(seconds.value_or(kMostSeconds), kMostSeconds));
  }
  const auto date = parse_date(text);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::seconds(*date - now), std::chrono::seconds(0),
                    std::chrono::seconds(kMostSeconds));
}

std::optional<std::chrono::milliseconds> plan_retry(const RegistryFailure& failure, int tried,
                                                    const Patience& patience, double chance) {
  if (!failure.passing() || tried >= patience.tries) return std::nullopt;
  auto wait = patience.first_wait;
  for (int i = 1; i < tried && wait < patience.longest_wait; ++i) wait *= 2;
  wait = std::min(wait, patience.longest_wait);
  wait +=
      std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * chance / 2));
  if (!failure.wait()) return wait;
  if (*failure.wait() > patience.longest_wait) return std::nullopt;
  return std::max(wait, std::chrono::milliseconds(*failure.wait()));
}

}  // namespace sampan::image
