#include "image/challenge.h"

#include "core/text.h"

namespace sampan::image {
namespace {

// Takes `key=value` or `key="va\"lue"` off the front; false at anything else.
bool take_parameter(std::string_view& rest, Challenge& challenge) {
  const auto equals = rest.find('=');
  if (equals == std::string_view::npos) return false;
  const auto key = core::to_lower(core::trim(rest.substr(0, equals)));
  rest.remove_prefix(equals + 1);
  std::string value;
  if (rest.starts_with('"')) {
    std::size_t at = 1;
    while (at < rest.size() && rest[at] != '"') {
      if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
      value.push_back(rest[at++]);
    }
    if (at >= rest.size()) return false;
    rest.remove_prefix(at + 1);
  } else {
    const auto end = std::min(rest.find(','), rest.size());
    value = core::trim(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  challenge.parameters.insert_or_assign(key, std::move(value));
  rest = core::trim(rest);
  if (rest.starts_with(',')) rest = core::trim(rest.substr(1));
  return true;
}

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header) {
  header = core::trim(header);
  const auto space = std::min(header.find(' '), header.size());
  if (space == 0) return std::nullopt;
  Challenge challenge{core::to_lower(header.substr(0, space)), {}};
  auto rest = core::trim(header.substr(space));
  while (!rest.empty()) {
    if (!take_parameter(rest, challenge)) return std::nullopt;
  }
  return challenge;
}

}  // namespace sampan::image
