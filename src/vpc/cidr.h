// IPv4 addresses and CIDR blocks as numbers. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sampan::vpc {

struct Ipv4 {
  std::uint32_t value = 0;
  auto operator<=>(const Ipv4&) const = default;
};

// Four decimal numbers without leading zeros, as AWS wants them; nothing otherwise.
std::optional<Ipv4> parse_ipv4(std::string_view text);
std::string to_string(Ipv4 address);

struct Cidr {
  Ipv4 base;
  int prefix_length = 32;
  bool operator==(const Cidr&) const = default;

  std::uint64_t size() const { return std::uint64_t{1} << (32 - prefix_length); }
  Ipv4 first() const { return base; }
  Ipv4 last() const { return {static_cast<std::uint32_t>(base.value + (size() - 1))}; }
  Ipv4 nth(std::uint32_t index) const { return {base.value + index}; }
  bool contains(Ipv4 address) const { return first() <= address && address <= last(); }
  bool contains(const Cidr& other) const { return contains(other.first()) && contains(other.last()); }
  bool overlaps(const Cidr& other) const { return first() <= other.last() && other.first() <= last(); }
};

// "a.b.c.d/n"; bits after the prefix may be set. Nothing when malformed.
std::optional<Cidr> parse_cidr_loosely(std::string_view text);
// As above, with the bits after the prefix cleared.
std::optional<Cidr> parse_cidr(std::string_view text);
Cidr masked(Cidr cidr);
std::string to_string(const Cidr& cidr);

}  // namespace sampan::vpc
