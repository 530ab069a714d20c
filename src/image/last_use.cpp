#include "image/last_use.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/error.h"

namespace sampan::image {

bool touch(const std::filesystem::path& path, core::TimePoint now) {
  const auto since = now.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const timespec at{seconds.count(), std::chrono::nanoseconds(since - seconds).count()};
  const timespec times[2] = {{0, UTIME_OMIT}, at};
  if (::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw core::errno_error("look for " + path.string());
}

std::optional<Idle> look(const std::filesystem::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw core::errno_error("look at " + path.string());
  }
  const auto whole =
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec);
  // Rounded up: a file is never taken for older than it is.
  return Idle{static_cast<std::uint64_t>(info.st_size),
              core::TimePoint(std::chrono::ceil<core::Millis>(whole))};
}

}  // namespace sampan::image
