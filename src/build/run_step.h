// RUN: one container over the stage's files, its output told as it comes. Blocking.
#pragma once

#include "build/layer_stack.h"
#include "build/site.h"
#include "runtime/spec.h"

namespace sampan::build {

struct RunPlan {
  std::vector<std::string> args;
  std::vector<std::string> environment;
  std::vector<RunMount> mounts;
  std::string script;  // of a heredoc that begins with "#!"; run as a file
};

// What a RUN runs; the build arguments are part of its environment. Throws BuildError.
RunPlan plan_run(const BuildSite& site, const Instruction& run, const StageConfig& stage);

struct RunPlace {
  std::filesystem::path root;  // the mounted files
  std::filesystem::path work;  // for this step's own
  std::string id;
  int step = 0;
  std::string stage;
  // The root of what a --mount=from names; mounted for as long as the step.
  std::function<std::filesystem::path(const std::string& from)> source_root;
};

// Throws BuildError with the exit code.
void execute_run(const BuildSite& site, const Instruction& run, const StageConfig& stage, const RunPlan& plan,
                 const RunPlace& place);

}  // namespace sampan::build
