// Reads tar and zip archives that nobody vouches for, through libarchive: entry by entry, in order, nothing
// on the disk. Blocking; one thread at a time. Throws core::Error, or what the source throws.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "image/bytes.h"

namespace sampan::scan {

class Archive {
 public:
  enum class Type { kFile, kDirectory, kHardLink, kOther };
  struct Entry {
    std::string path;
    Type type = Type::kOther;
    std::string target;      // of a hard link
    std::uint64_t size = 0;  // as it says of itself; 0 when it does not
  };

  // A tar as it comes out of `source`, which must outlive this.
  static Archive tar(image::ByteSource& source);
  // A zip in memory, which must outlive this.
  static Archive zip(std::string_view bytes);
  // A zip file.
  static Archive zip_file(const std::string& path);
  Archive(Archive&&) noexcept;
  ~Archive();

  // False at the end.
  bool next(Entry& entry);
  // A piece of the entry's content, good until the next call; empty at its end. Holes are passed over.
  std::span<const char> read();
  // The whole content; throws core::Error when it is longer than `limit`.
  std::string read_all(std::uint64_t limit);

 private:
  struct Impl;
  explicit Archive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sampan::scan
