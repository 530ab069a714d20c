#include "scan/compressed.h"

#include <zstd.h>

#include "core/error.h"

namespace sampan::scan {

std::string compress(std::string_view text) {
  std::string bytes(ZSTD_compressBound(text.size()), '\0');
  const auto size = ZSTD_compress(bytes.data(), bytes.size(), text.data(), text.size(), 3);
  if (ZSTD_isError(size)) throw core::Error("compress", ZSTD_getErrorName(size));
  bytes.resize(size);
  return bytes;
}

std::string decompress(std::string_view bytes, std::size_t limit) {
  const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > limit) {
    throw core::Error("decompress", "the data is damaged or too large");
  }
  std::string text(size, '\0');
  const auto got = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) || got != size) throw core::Error("decompress", "the data is damaged");
  return text;
}

}  // namespace sampan::scan
