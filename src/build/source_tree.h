// A directory that COPY and ADD read from: the context, or the root of a stage or image. Paths are looked up
// inside it and nowhere else, whatever symbolic links are there. Blocking; nobody writes to the tree
// meanwhile.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "build/ignore.h"
#include "core/encoding.h"
#include "io/file.h"

namespace sampan::build {

// One file, directory or link below a match; `path` is relative to it, "" for the match itself.
struct SourceEntry {
  std::string path;
  struct stat status{};
  std::string link;        // of a symbolic link
  io::UniqueFd directory;  // that it lies in …
  std::string name;        // … under this name
};

class SourceTree {
 public:
  SourceTree(std::filesystem::path root, IgnoreRules rules);

  // Paths (relative, no leading '/') that a COPY source means: itself, or what its wildcards match, sorted.
  // Links on the way and at the end are followed inside the tree. Empty when there is none, or only ignored
  // ones.
  std::vector<std::string> match(std::string_view pattern) const;
  bool is_directory(const std::string& path) const;
  io::UniqueFd open(const std::string& path) const;  // for reading; throws core::Error
  // Parents before children, sorted by name, ignored ones left out. Special files are passed over.
  void walk(const std::string& path, const std::function<void(const SourceEntry&)>& visit) const;
  // Adds all that a copy of it depends on: names, types, permissions, contents; no times, no owners.
  void hash(const std::string& path, core::Sha256& into) const;

  const std::filesystem::path& root() const { return root_; }

 private:
  struct Walk;
  std::filesystem::path root_;
  IgnoreRules rules_;
};

}  // namespace sampan::build
