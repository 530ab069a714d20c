#include "image/reach.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace sampan::image {
namespace {

Reach reach_of_four(std::uint32_t address) {
  const auto in = [address](std::uint32_t network, int bits) {
    return address >> (32 - bits) == network >> (32 - bits);
  };
  if (in(0x7F000000, 8) || in(0, 8)) return Reach::kThisMachine;
  if (in(0xA9FE0000, 16) || in(0xE0000000, 3)) return Reach::kLinkLocal;
  if (in(0x0A000000, 8) || in(0xAC100000, 12) || in(0xC0A80000, 16) || in(0x64400000, 10))
    return Reach::kPrivate;
  return Reach::kPublic;
}

using Six = std::array<std::uint8_t, 16>;

std::uint32_t four_at(const Six& six, std::size_t at) {
  return static_cast<std::uint32_t>(six[at]) << 24 | static_cast<std::uint32_t>(six[at + 1]) << 16 |
         static_cast<std::uint32_t>(six[at + 2]) << 8 | six[at + 3];
}

bool begins(const Six& six, std::initializer_list<std::uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), six.begin());
}

Reach reach_of_six(const Six& six) {
  if (begins(six, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) return reach_of_four(four_at(six, 12));
  if (begins(six, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return reach_of_four(four_at(six, 12));
  if (begins(six, {0x20, 0x02})) return reach_of_four(four_at(six, 2));
  // ::1, :: and the long dead "compatible" addresses, which some kernels still route as IPv4.
  if (begins(six, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return Reach::kThisMachine;
  if (begins(six, {0xFD, 0x00, 0x0E, 0xC2})) return Reach::kLinkLocal;  // fd00:ec2::254 is a cloud's metadata
  if (six[0] == 0xFF || (six[0] == 0xFE && (six[1] & 0xC0) == 0x80)) return Reach::kLinkLocal;
  if ((six[0] & 0xFE) == 0xFC || (six[0] == 0xFE && (six[1] & 0xC0) == 0xC0)) return Reach::kPrivate;
  return Reach::kPublic;
}

}  // namespace

Reach reach_of(std::string_view address) {
  const std::string text(address);
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return reach_of_four(ntohl(four.s_addr));
  Six six{};
  if (::inet_pton(AF_INET6, text.c_str(), six.data()) == 1) return reach_of_six(six);
  return Reach::kLinkLocal;
}

}  // namespace sampan::image
