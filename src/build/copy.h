// Puts files from a SourceTree into an image's root, as COPY and ADD do. Every destination is looked up
// inside that root: a link there to "/etc" is the image's own. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "build/source_tree.h"

namespace sampan::build {

struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

struct CopyOptions {
  std::optional<Owner> owner;         // absent: root; with keep_owner the source's
  bool keep_owner = false;            // an archive's entries
  std::optional<std::uint32_t> mode;  // --chmod, of files and directories
  bool parents = false;               // --parents: the source's path is kept below the destination
};

// `destination` is absolute inside `root`; one that ends with '/' (or several sources) is a directory.
// Throws core::Error with the reason.
void copy_into(const SourceTree& source, const std::vector<std::string>& paths,
               const std::filesystem::path& root, const std::string& destination, const CopyOptions& options);

// Makes a directory and its parents inside the root; true when something was made. What exists stays as it
// is.
bool make_directory_in(const std::filesystem::path& root, const std::string& path, const Owner& owner);

// A file of these bytes; `destination` names the file itself.
void write_file_in(const std::filesystem::path& root, const std::string& destination, std::string_view bytes,
                   std::uint32_t mode, const Owner& owner);

}  // namespace sampan::build
