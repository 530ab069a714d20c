// The version that --version, /health and User-Agent show.
#pragma once

namespace sampan::core {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace sampan::core
