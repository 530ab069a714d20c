// How near an IP address is, for deciding whether another server may send us there. Pure.
#pragma once

#include <string_view>

namespace sampan::image {

// In the order of what a stranger gains from having us speak to it.
enum class Reach {
  kPublic,
  kPrivate,      // RFC 1918, RFC 4193, RFC 6598
  kThisMachine,  // loopback and the unspecified address
  kLinkLocal,  // 169.254.0.0/16 and fe80::/10, where clouds keep their metadata; multicast and broadcast too
};

// Of an IPv4 or IPv6 address in digits; IPv4 inside IPv6 (mapped, NAT64, 6to4) counts as itself. What is no
// address is kLinkLocal: nobody may be sent there.
Reach reach_of(std::string_view address);

}  // namespace sampan::image
