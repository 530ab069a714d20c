// A directory that a hostile archive writes into, and the only ways it may: each call names a path inside it
// and can reach nothing outside. Private to unpacking.
//
// Owns nothing but cached descriptors. Not thread-safe; nobody else may change the directory meanwhile.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace sampan::image {

struct EntryMetadata {
  std::uint32_t mode = 0;  // permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  timespec mtime{};
  std::vector<std::pair<std::string, std::string>> xattrs;
};

// "/usr//./bin" is {"usr", "bin"}; throws core::Error for "..", a part or a whole too long.
std::vector<std::string> split_path(std::string_view path, std::size_t limit);

class LayerTree {
 public:
  using Path = std::vector<std::string>;

  explicit LayerTree(int root) : root_(root) {}  // borrowed

  // Each replaces what is at `path`, but a directory by a directory; missing parents are made (root, 0755).
  void make_directory(const Path& path, const EntryMetadata& metadata);
  io::UniqueFd make_file(const Path& path);  // for writing; then finish_file
  void finish_file(int file, const EntryMetadata& metadata);
  void make_symlink(const Path& path, const std::string& target, const EntryMetadata& metadata);
  void make_hard_link(const Path& path, const Path& existing);
  void make_fifo(const Path& path, const EntryMetadata& metadata);
  // Hides `path` of the layers below.
  void make_whiteout(const Path& path);
  void make_opaque(const Path& directory);
  // Directories' times, which their entries have moved: last.
  void finish();

 private:
  struct Place {
    int parent;
    const char* name;
  };
  Place place(const Path& path);
  int parent_of(const Path& path, bool create);
  io::UniqueFd open_directory(const std::string& inside) const;
  io::UniqueFd make_parents(const Path& path) const;
  // What is there goes; true when it was a whiteout.
  bool clear(const Place& place);
  void forget();

  int root_;
  std::string cached_path_;
  io::UniqueFd cached_;
  std::vector<std::pair<std::string, timespec>> directory_times_;
};

}  // namespace sampan::image
