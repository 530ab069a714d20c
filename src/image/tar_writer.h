// Writes tar archives in one normal form: ustar headers, pax records only for what ustar cannot say (long or
// non-ASCII names, large numbers, attributes), no names of users, whole seconds. Pure but for its sink.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace sampan::image {

struct TarEntry {
  std::string path;  // "usr/bin/x", without a '/' at the end
  char type = '0';   // '0' file, '1' hard link, '2' symbolic link, '5' directory, '6' pipe
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime = 0;
  std::uint64_t size = 0;  // of a file: exactly so many bytes follow
  std::string link;
  std::map<std::string, std::string> xattrs;
};

class TarWriter {
 public:
  using Sink = std::function<void(std::span<const char>)>;
  explicit TarWriter(Sink sink) : sink_(std::move(sink)) {}

  void begin(const TarEntry& entry);
  void data(std::span<const char> bytes);  // of the entry just begun, in pieces
  void end();                              // of its data; core::Error when there were not `size` bytes
  void finish();                           // of the archive

 private:
  void pad();
  Sink sink_;
  std::uint64_t expected_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace sampan::image
