// Descriptors and durable files. Blocking: call on the blocking pool or at start-up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sampan::io {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC; throws core::Error naming the path.
UniqueFd open_file(const std::filesystem::path& path, int flags, unsigned mode = 0644);

std::string read_file(const std::filesystem::path& path, std::size_t limit = 64 * 1024 * 1024);
// Nothing when the file does not exist; any other failure throws.
std::optional<std::string> read_file_if_exists(const std::filesystem::path& path,
                                               std::size_t limit = 64 * 1024 * 1024);
void write_all(int fd, std::string_view bytes);

enum class Durability { kFlushed, kProcessCrash };  // survives power loss; survives kill -9 only

// Replaces `path` as a whole: a reader sees the old or the new text, never a part (temporary file, rename).
void replace_file(const std::filesystem::path& path, std::string_view bytes, Durability durability,
                  unsigned mode = 0644);
void make_directories(const std::filesystem::path& path, unsigned mode = 0755);

// An exclusive lock on a file for the life of the object; throws core::Error when another process holds it.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);

 private:
  UniqueFd fd_;
};

// A directory under `parent` that is removed with everything in it when the object dies.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::filesystem::path& parent = "/tmp",
                              std::string_view prefix = "sampan-");
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace sampan::io
