// Streams of bytes that are pulled: a file, and what decompresses or counts another one. Blocking.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/encoding.h"
#include "io/file.h"

namespace sampan::image {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Some bytes into `buffer` (at least one unless at the end); how many. Throws core::Error.
  virtual std::size_t read(std::span<char> buffer) = 0;
};

class FileSource final : public ByteSource {
 public:
  explicit FileSource(io::UniqueFd file);
  std::size_t read(std::span<char> buffer) override;

 private:
  io::UniqueFd file_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : rest_(bytes) {}  // `bytes` must outlive this
  std::size_t read(std::span<char> buffer) override;

 private:
  std::string_view rest_;
};

// `source` as it is, or decompressed when its first bytes say gzip (any number of members) or zstd.
// `source` must outlive the result.
std::unique_ptr<ByteSource> decompressed(ByteSource& source);

}  // namespace sampan::image
