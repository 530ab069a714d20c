// The modules that a program of Go was built from, which its linker writes into it (Go 1.18 and later).
// Pure: fed with the file's bytes in order, in pieces of any size.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scan/package.h"

namespace sampan::scan {

class GoBinary {
 public:
  void feed(std::span<const char> bytes);
  // True when nothing more needs to be fed.
  bool done() const { return done_; }
  // Nothing when the program is none of Go's.
  std::vector<Package> finish();

 private:
  void search();
  bool parse(std::string_view text);

  std::string held_;  // the end of what came, or the build information so far
  bool found_ = false;
  bool done_ = false;
  int candidates_ = 0;
  std::vector<Package> packages_;
};

// "path\t…\nmod\t…\ndep\tmodule\tversion\tsum\n=>\t…": what `go version -m` prints.
std::vector<Package> parse_go_modules(std::string_view text);

}  // namespace sampan::scan
