// ADD's archives: whether a file is one, and its contents as a directory. Blocking.
#pragma once

#include <filesystem>

#include "io/file.h"

namespace sampan::build {

// tar, plain or compressed with gzip, bzip2, xz or zstd; told by its contents, as Docker does.
bool is_tar_archive(int file);
// Unpacks into `directory` (empty), hostile names and links staying inside. Throws core::Error.
void unpack_archive(io::UniqueFd file, const std::filesystem::path& directory);

}  // namespace sampan::build
