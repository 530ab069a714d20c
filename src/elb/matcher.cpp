#include "elb/matcher.h"

#include <optional>

#include "core/text.h"

namespace sampan::elb {

bool valid_matcher(std::string_view text, int least, int most) {
  const auto code = [&](std::string_view part) -> std::optional<std::int64_t> {
    if (part.empty() || part.size() > 3 || part.find_first_not_of("0123456789") != std::string_view::npos) {
      return std::nullopt;
    }
    const auto value = core::parse_int(part);
    if (!value || *value < least || *value > most) return std::nullopt;
    return value;
  };
  if (text.size() > 255) return false;
  for (const auto& part : core::split(text, ',')) {
    const auto dash = part.find('-');
    const auto first = code(std::string_view(part).substr(0, dash));
    const auto last = dash == std::string::npos ? first : code(std::string_view(part).substr(dash + 1));
    if (!first || !last || *first > *last) return false;
  }
  return true;
}

}  // namespace sampan::elb
