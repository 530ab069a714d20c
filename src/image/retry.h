// When another registry is asked again after a failure. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "image/registry_failure.h"

namespace sampan::image {

struct Patience {
  int tries = 5;
  std::chrono::milliseconds first_wait{200};  // doubles with each try
  std::chrono::milliseconds longest_wait{10000};
  std::chrono::milliseconds timeout{30000};  // of a connect, of a head, of silence in a body
};

// One short question: what it is about is here already, and only its age is in doubt.
inline constexpr Patience kAskOnce{.tries = 1, .timeout = std::chrono::milliseconds(5000)};

// How long to wait before the next try after `tried` of them (1: the first failed), or nothing: give up. What
// the registry asks for (Retry-After) is honoured up to the longest wait; beyond it waiting is the caller's
// matter. `chance` from 0 to 1 spreads clients that failed together.
std::optional<std::chrono::milliseconds> plan_retry(const RegistryFailure& failure, int tried,
                                                    const Patience& patience, double chance);

// Retry-After: seconds, or a date (RFC 9110, 10.2.3). Nothing when it is neither; a past date is zero.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::chrono::sys_seconds now);

}  // namespace sampan::image
