// Fetches a database's archives over HTTP, and only when they have changed (ETag, Last-Modified).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/executors.h"

namespace sampan::scan {

inline constexpr std::uint64_t kLargestDownload = 8ull << 30;

// What a --vulnerability-db URL stands for: itself when it names a .zip or .json file; else, ending in '/',
// the root of a bucket laid out as osv.dev's: "<root><ecosystem>/all.zip" of each ecosystem that images have.
struct Download {
  std::string url;
  std::string file;       // its name here
  bool optional = false;  // a root need not have every ecosystem
};
std::vector<Download> plan_downloads(const std::string& url);

enum class Fetched { kChanged, kUnchanged, kAbsent };
// `target` is replaced as a whole when the server has another; beside it stands "<target>.from" with what the
// server said of it. Throws core::Error.
io::Awaitable<Fetched> download(io::Executors& executors, std::string url, std::filesystem::path target,
                                std::uint64_t limit = kLargestDownload);

}  // namespace sampan::scan
