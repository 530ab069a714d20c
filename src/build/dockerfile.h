// The text of a Dockerfile as stages of instructions. Pure: nothing is substituted, looked up or run here;
// words.h substitutes variables, graph.h orders the stages, builder.h builds.
//
// What is read: https://docs.docker.com/reference/dockerfile/ with parser directives (`escape`; others are
// taken and have no effect), comments, continuation lines, heredocs of RUN, COPY and ADD, exec and shell
// form, flags. Limits: a file of 1 MiB, 4096 instructions, 256 stages.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace sampan::build {

// Where an instruction stands, for messages: "Dockerfile:12: RUN".
struct Location {
  std::string file;
  int line = 0;
  std::string instruction;
};

// The Dockerfile's author's fault, or a step that failed: "Dockerfile:12: RUN: unknown flag --x".
class BuildError : public core::Error {
 public:
  BuildError(const Location& where, std::string_view why);
};

struct Heredoc {
  std::string name;
  std::string body;    // every line ended by '\n'
  bool expand = true;  // false when the name was quoted
};

enum class Keyword {
  kAdd,
  kArg,
  kCmd,
  kCopy,
  kEntrypoint,
  kEnv,
  kExpose,
  kFrom,
  kHealthcheck,
  kLabel,
  kMaintainer,
  kOnbuild,
  kRun,
  kShell,
  kStopsignal,
  kUser,
  kVolume,
  kWorkdir
};

struct Flag {
  std::string name;  // "chown"
  std::string value;
};

struct Instruction {
  Keyword keyword = Keyword::kRun;
  Location where;
  std::vector<Flag> flags;
  // What follows the flags, continuation lines joined, white space at both ends gone.
  std::string text;
  // The exec form, when `text` is a JSON array of strings.
  std::optional<std::vector<std::string>> exec;
  std::vector<Heredoc> heredocs;

  // The value of the last flag of that name.
  const std::string* flag(std::string_view name) const;
  // The instruction as it is shown: "RUN make", a heredoc as its first line.
  std::string shown() const;
};

struct Stage {
  Location where;    // of its FROM
  std::string base;  // not substituted
  std::string name;  // lower case; empty without AS
  std::string platform;
  std::vector<Instruction> instructions;
};

struct Dockerfile {
  char escape = '\\';
  std::vector<Instruction> global_args;  // ARG before the first FROM
  std::vector<Stage> stages;
};

// Throws BuildError.
Dockerfile parse_dockerfile(std::string_view text, const std::string& file_name);
// One instruction (an ONBUILD trigger of a base image).
Instruction parse_instruction(std::string_view line, const Location& where);

std::string_view keyword_name(Keyword keyword);
std::optional<Keyword> keyword_of(std::string_view word);  // any case

}  // namespace sampan::build
