// A database on the disk: a directory (searched through) of OSV records, one a .json file, or in .zip
// archives as osv.dev publishes them for each ecosystem; or one such file. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "scan/database.h"

namespace sampan::scan {

// What is there, without reading it: changes when a file comes, goes or is written. Throws core::Error when
// there is nothing at that path.
struct FilesState {
  std::string signature;    // of names, sizes and times
  std::int64_t newest = 0;  // milliseconds since 1970: when the last of the files was written
  std::size_t files = 0;
};
FilesState look_at_files(const std::filesystem::path& root);

struct LoadResult {
  std::shared_ptr<const Database> database;
  std::size_t records = 0;     // that were read
  std::size_t unreadable = 0;  // left out
  std::string first_problem;   // of those
};
// A record that cannot be read is left out and counted; a directory with none that can is an error. Throws
// core::Error; image_reader.h's Stopped.
LoadResult load_files(const std::filesystem::path& root, const std::filesystem::path& scratch,
                      std::stop_token stop = {}, DatabaseLimits limits = {});

}  // namespace sampan::scan
