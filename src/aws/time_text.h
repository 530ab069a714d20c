// Dates as the AWS wire writes them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace sampan::aws {

// 2026-11-22T23:16:42Z, with or without fractions, 'Z' or "+hh:mm"; also a date alone.
std::optional<core::TimePoint> parse_iso8601(std::string_view text);
// SigV4's 20261122T231642Z.
std::optional<core::TimePoint> parse_amz_date(std::string_view text);
std::string to_amz_date(core::TimePoint time);
// Seconds since 1970, with fractions if any, as JSON bodies have them: "1700000000.123".
void append_epoch_seconds(core::TimePoint time, std::string& out);
std::optional<core::TimePoint> parse_epoch_seconds(std::string_view text);

}  // namespace sampan::aws
