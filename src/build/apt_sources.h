// Reads apt's source lists (one-line and deb822) to find the mirrors that a base image of a suite can be made
// from. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sampan::build {

struct AptSource {
  std::string uri;
  std::string suite;
  std::vector<std::string> components;
  bool operator==(const AptSource&) const = default;
};

std::vector<AptSource> parse_one_line_sources(std::string_view text);
std::vector<AptSource> parse_deb822_sources(std::string_view text);

// Those of Debian's own for `suite`: the suite, its updates and its security archive; mirrors of another
// suite of Debian are taken with the name exchanged. The public mirror when the machine knows none.
std::vector<AptSource> sources_for(std::string_view suite, const std::vector<AptSource>& host);
// "deb URI SUITE main"
std::string render_source(const AptSource& source);

// Letters, digits and '-': safe in a source list and on a command line.
bool valid_suite(std::string_view suite);

}  // namespace sampan::build
