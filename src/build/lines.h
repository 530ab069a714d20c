// A Dockerfile's physical lines as logical ones: directives taken off, comments and blank lines gone,
// continuations joined, heredoc bodies collected. Pure; private to parsing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "build/dockerfile.h"

namespace sampan::build {

struct LogicalLine {
  int number = 0;  // of its first physical line, from 1
  std::string text;
  std::vector<Heredoc> heredocs;
};

struct LogicalLines {
  char escape = '\\';
  std::vector<LogicalLine> lines;
};

LogicalLines split_lines(std::string_view text, const std::string& file_name);

}  // namespace sampan::build
