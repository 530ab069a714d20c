#include "io/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace sampan::io {
namespace {

namespace fs = std::filesystem;
using core::errno_error;

std::string read_to_end(int fd, const fs::path& path, std::size_t limit) {
  std::string bytes;
  struct stat info{};
  if (::fstat(fd, &info) == 0 && info.st_size > 0) {
    bytes.reserve(std::min<std::size_t>(static_cast<std::size_t>(info.st_size) + 1, limit + 1));
  }
  char piece[16384];  // files of /proc and /sys say size 0: read until the end
  while (true) {
    const ssize_t n = ::read(fd, piece, sizeof(piece));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw errno_error(fmt::format("read {}", path.string()));
    if (n == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(n) > limit) {
      throw core::Error(fmt::format("read {}", path.string()), fmt::format("larger than {} bytes", limit));
    }
    bytes.append(piece, static_cast<std::size_t>(n));
  }
}

// The written, not yet renamed, file: removed again unless kept.
struct PendingFile {
  std::string path;
  bool keep = false;
  ~PendingFile() {
    if (!keep) ::unlink(path.c_str());
  }
};

void flush(int fd, const fs::path& path) {
  if (::fsync(fd) != 0) throw errno_error(fmt::format("fsync {}", path.string()));
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  reset();
}

void UniqueFd::reset() {
  const int saved = errno;  // a failure being reported keeps its reason
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  errno = saved;
}

UniqueFd open_file(const fs::path& path, int flags, unsigned mode) {
  while (true) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return UniqueFd(fd);
    if (errno != EINTR) throw errno_error(fmt::format("open {}", path.string()));
  }
}

std::string read_file(const fs::path& path, std::size_t limit) {
  const UniqueFd fd = open_file(path, O_RDONLY);
  return read_to_end(fd.get(), path, limit);
}

std::optional<std::string> read_file_if_exists(const fs::path& path, std::size_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!fd) throw errno_error(fmt::format("open {}", path.string()));
  return read_to_end(fd.get(), path, limit);
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw errno_error(fmt::format("write {} bytes", bytes.size()));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void replace_file(const fs::path& path, std::string_view bytes, Durability durability, unsigned mode) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  PendingFile pending{(directory / fmt::format(".{}.XXXXXX", path.filename().string())).string()};
  UniqueFd fd(::mkostemp(pending.path.data(), O_CLOEXEC));
  if (!fd) {
    pending.keep = true;  // there is none
    throw errno_error(fmt::format("replace {}: make a temporary file beside it", path.string()));
  }
  if (::fchmod(fd.get(), mode) != 0) throw errno_error(fmt::format("replace {}: chmod", path.string()));
  try {
    write_all(fd.get(), bytes);
  } catch (const core::Error& error) {
    throw core::Error(fmt::format("replace {}", path.string()), error.what());
  }
  if (durability == Durability::kFlushed) flush(fd.get(), path);
  fd.reset();
  if (::rename(pending.path.c_str(), path.c_str()) != 0) {
    throw errno_error(fmt::format("replace {}: rename", path.string()));
  }
  pending.keep = true;
  // The name is durable only when its directory is.
  if (durability == Durability::kFlushed)
    flush(open_file(directory, O_RDONLY | O_DIRECTORY).get(), directory);
}

void make_directories(const fs::path& path, unsigned mode) {
  if (path.empty()) return;
  if (::mkdir(path.c_str(), mode) == 0) return;
  if (errno == ENOENT && path.has_parent_path() && path.parent_path() != path) {
    make_directories(path.parent_path(), mode);
    if (::mkdir(path.c_str(), mode) == 0) return;
  }
  const int failure = errno;
  struct stat info{};
  if (failure == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return;
  throw errno_error(fmt::format("make directory {}", path.string()), failure);
}

FileLock::FileLock(const fs::path& path) : fd_(open_file(path, O_RDWR | O_CREAT, 0644)) {
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw errno_error(fmt::format("lock {}", path.string()));
    const std::string holder(core::trim(read_to_end(fd_.get(), path, 64)));
    throw core::Error(fmt::format("lock {}", path.string()),
                      holder.empty() ? "another process holds it" : "held by pid " + holder);
  }
  // Only for the message above; the lock itself is the kernel's and ends with the process.
  if (::ftruncate(fd_.get(), 0) == 0) write_all(fd_.get(), std::to_string(::getpid()) + "\n");
}

TemporaryDirectory::TemporaryDirectory(const fs::path& parent, std::string_view prefix) {
  std::string name = (parent / fmt::format("{}XXXXXX", prefix)).string();
  if (::mkdtemp(name.data()) == nullptr) throw errno_error(fmt::format("make a directory like {}", name));
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code error;
  fs::remove_all(path_, error);
  if (error) core::log::warn("cannot remove {}: {}", path_.string(), error.message());
}

}  // namespace sampan::io
