// Which stages a build needs, and which of them each waits for. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/dockerfile.h"
#include "build/words.h"

namespace sampan::build {

struct PlannedStage {
  std::size_t index = 0;                  // in the Dockerfile
  std::string base;                       // substituted: an image's name, "scratch" …
  std::optional<std::size_t> base_stage;  // … or an earlier stage
  std::vector<std::size_t> needs;         // indexes of stages, base_stage among them; ascending
};

struct StageGraph {
  std::vector<PlannedStage> stages;  // needed ones only, in the file's order: each after what it needs
  std::size_t target = 0;            // its index in the Dockerfile
  std::size_t steps = 0;             // instructions of the needed stages, FROMs included
};

// What ARGs before the first FROM give, with the caller's values over their defaults.
std::vector<std::pair<std::string, std::string>> global_arguments(
    const Dockerfile& file, const std::vector<std::pair<std::string, std::string>>& given);

// `target` empty: the last stage. Throws BuildError: unknown target, a base name that is blank, a stage that
// refers to itself or a later one.
StageGraph plan_stages(const Dockerfile& file, std::string_view target,
                       const std::vector<std::pair<std::string, std::string>>& globals);

// The stage that `name` (of a --from or a RUN --mount) means among those before `before`; nothing: an image.
std::optional<std::size_t> find_stage(const Dockerfile& file, std::string_view name, std::size_t before);

// RUN --mount=type=…,…
struct RunMount {
  std::string type = "bind";
  std::string target;
  std::string source;
  std::string from;
  std::string id;
  bool read_write = false;
  bool required = false;
  std::string mode;
  std::string size;
};
// Throws BuildError.
RunMount parse_run_mount(const Instruction& run, std::string_view value);

}  // namespace sampan::build
