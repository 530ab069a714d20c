#include "image/challenge.h"

#include <algorithm>
#include <cctype>

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

// RFC 9110, 5.6.2: what a scheme is written with.
bool is_token(std::string_view text) {
  constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";
  const auto fits = [kOther](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || kOther.find(static_cast<char>(c)) != kOther.npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

// Takes one challenge off the front, up to the scheme of the next.
std::optional<Challenge> take_challenge(std::string_view& rest) {
  const auto space = std::min(rest.find(' '), rest.size());
  const auto comma = std::min(rest.find(','), rest.size());
  const auto end = std::min(space, comma);
  if (!is_token(rest.substr(0, end))) return std::nullopt;
  Challenge challenge{core::to_lower(rest.substr(0, end)), {}};
  rest = core::trim(rest.substr(end));
  if (rest.starts_with(',')) {  // a scheme alone: "Negotiate, Basic realm=…"
    rest = core::trim(rest.substr(1));
    return challenge;
  }
  while (!rest.empty()) {
    const auto word = rest.substr(0, std::min(rest.find_first_of("=,"), rest.size()));
    if (core::trim(word).find(' ') != std::string_view::npos) break;  // "Bearer realm": the next scheme
    if (!take_parameter(rest, challenge)) return std::nullopt;
  }
  return challenge;
}

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header) {
  auto rest = core::trim(header);
  return take_challenge(rest);
}

std::vector<Challenge> parse_challenges(const std::vector<std::string_view>& headers) {
  constexpr std::size_t kMost = 8;
  std::vector<Challenge> found;
  for (const auto header : headers) {
    auto rest = core::trim(header);
    while (!rest.empty() && found.size() < kMost) {
      auto challenge = take_challenge(rest);
      if (!challenge) break;
      found.push_back(std::move(*challenge));
    }
  }
  return found;
}

}  // namespace sampan::image
