// Instructions that change only what an image says about itself: ENV, LABEL, CMD, EXPOSE … applied to its
// configuration. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/dockerfile.h"
#include "build/words.h"
#include "image/image_config.h"

namespace sampan::build {

// What a stage is like between two instructions, files aside.
struct StageConfig {
  image::ImageConfig image;
  std::vector<std::pair<std::string, std::string>> args;  // ARGs declared so far that have a value
  bool cmd_set = false;                                   // by this stage, not by its base
  char escape = '\\';

  // ENV before ARG, as Docker looks.
  std::optional<std::string> variable(std::string_view name) const;
  Variables variables() const;
};

// Applies ADD's siblings that touch no file; false for RUN, COPY, ADD, WORKDIR and ARG, which are not for
// here. Throws BuildError.
bool apply_config_step(const Instruction& instruction, StageConfig& stage);

// The exec form, or the shell form behind the stage's SHELL.
std::vector<std::string> command_line(const Instruction& instruction, const StageConfig& stage);
// `path` against the stage's working directory; absolute and normal.
std::string resolve_path(const StageConfig& stage, std::string_view path);
// Sets or replaces "name=value".
void set_variable(std::vector<std::string>& environment, const std::string& name, const std::string& value);
// "1m30s" (Go's durations). Nothing when malformed.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace sampan::build
