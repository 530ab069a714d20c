// What an image's layers, laid over each other, tell of its packages: the later layer wins, what it hides is
// gone. Pure: knows paths and what was read of each, no bytes.
//
// For each layer from the bottom: begin_layer(), then its entries in the archive's order, each as one call.
// Memory is bounded by what tells of packages, not by how many files there are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scan/package.h"
#include "scan/package_files.h"

namespace sampan::scan {

// "usr/lib/x" of "./usr//lib/x" or "/usr/lib/x"; nothing for a path that leaves the root or is the root.
std::optional<std::string> normal_path(std::string_view path);

class ImageFiles {
 public:
  struct Facts {
    FileKind kind;
    OperatingSystem os;  // of kOsRelease
    std::vector<Package> packages;
  };

  void begin_layer();
  // A whiteout: the name, and all below it, of the layers beneath is gone.
  void hide(const std::string& path);
  // An opaque directory: all below it of the layers beneath is gone.
  void hide_below(const std::string& path);
  // Any entry that is no directory stands at `path` now; `facts` when it tells something.
  void place(const std::string& path, std::optional<Facts> facts);
  // A hard link to a file of this layer or one beneath tells what that tells.
  void link(const std::string& path, const std::string& target);

  // About how many bytes the facts so far take.
  std::size_t memory() const { return memory_; }
  // The whole, after the last layer.
  Inventory finish();

 private:
  using Files = std::map<std::string, Facts, std::less<>>;
  void erase(Files& files, const std::string& path);
  void erase_below(Files& files, const std::string& path);
  Files::iterator drop(Files& files, Files::iterator file);

  Files beneath_;  // of the layers before this one
  Files here_;
  std::size_t memory_ = 0;
};

}  // namespace sampan::scan
