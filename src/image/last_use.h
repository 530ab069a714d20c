// When a file or directory of the stores was last relied upon: its modification time. Every answer "it is
// here" that somebody may build on sets it, so that it survives a restart and collection can go by it.
// Blocking (one system call each).
#pragma once

#include <filesystem>
#include <optional>

#include "core/clock.h"

namespace sampan::image {

// False when `path` is not there. Throws core::Error.
bool touch(const std::filesystem::path& path, core::TimePoint now);

struct Idle {
  std::uint64_t size = 0;
  core::TimePoint used{};
};
// Nothing when `path` is not there. Throws core::Error.
std::optional<Idle> look(const std::filesystem::path& path);

}  // namespace sampan::image
