#include "vpc/cidr.h"

#include <fmt/core.h>

namespace sampan::vpc {
namespace {

// One decimal number up to `max` from the front of `text`; no sign, no leading zero.
std::optional<std::uint32_t> take_number(std::string_view& text, std::uint32_t max) {
  std::size_t digits = 0;
  std::uint32_t value = 0;
  while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
    value = value * 10 + static_cast<std::uint32_t>(text[digits++] - '0');
  }
  if (digits == 0 || value > max || (digits > 1 && text[0] == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

std::uint32_t mask(int prefix_length) {
  return prefix_length == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix_length);
}

}  // namespace

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  std::uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text[0] != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    auto number = take_number(text, 255);
    if (!number) return std::nullopt;
    value = value << 8 | *number;
  }
  if (!text.empty()) return std::nullopt;
  return Ipv4{value};
}

std::string to_string(Ipv4 address) {
  const auto v = address.value;
  return fmt::format("{}.{}.{}.{}", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
}

std::optional<Cidr> parse_cidr_loosely(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto base = parse_ipv4(text.substr(0, slash));
  auto rest = text.substr(slash + 1);
  auto length = take_number(rest, 32);
  if (!base || !length || !rest.empty()) return std::nullopt;
  return Cidr{*base, static_cast<int>(*length)};
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  auto cidr = parse_cidr_loosely(text);
  if (!cidr) return std::nullopt;
  return masked(*cidr);
}

Cidr masked(Cidr cidr) {
  return {Ipv4{cidr.base.value & mask(cidr.prefix_length)}, cidr.prefix_length};
}

std::string to_string(const Cidr& cidr) {
  return fmt::format("{}/{}", to_string(cidr.base), cidr.prefix_length);
}

}  // namespace sampan::vpc
