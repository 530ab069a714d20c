// zstd for what is kept of scans. Throws core::Error. Blocking for large texts.
#pragma once

#include <string>
#include <string_view>

namespace sampan::scan {

std::string compress(std::string_view text);
// At most `limit` bytes: beyond is an error.
std::string decompress(std::string_view bytes, std::size_t limit);

}  // namespace sampan::scan
