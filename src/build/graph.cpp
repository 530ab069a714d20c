#include "build/graph.h"

#include <set>

#include "core/text.h"

namespace sampan::build {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string> find(const Pairs& pairs, std::string_view name) {
  for (auto each = pairs.rbegin(); each != pairs.rend(); ++each) {
    if (each->first == name) return each->second;
  }
  return std::nullopt;
}

Variables lookup_in(const Pairs& pairs) {
  return [&pairs](std::string_view name) { return find(pairs, name); };
}

// Stages and images that the instructions of a stage read from.
std::vector<std::string> sources_of(const Stage& stage, char escape, const Variables& variables) {
  std::vector<std::string> names;
  for (const Instruction& each : stage.instructions) {
    if (const std::string* from = each.flag("from")) names.push_back(expand_word(*from, variables, escape));
    for (const Flag& flag : each.flags) {
      if (flag.name != "mount") continue;
      const RunMount mount = parse_run_mount(each, flag.value);
      if (!mount.from.empty()) names.push_back(mount.from);
    }
  }
  return names;
}

PlannedStage plan_stage(const Dockerfile& file, std::size_t index, const Variables& variables) {
  const Stage& stage = file.stages[index];
  PlannedStage planned;
  planned.index = index;
  try {
    planned.base = expand_word(stage.base, variables, file.escape);
  } catch (const WordError& error) {
    throw BuildError(stage.where, error.what());
  }
  if (planned.base.empty())
    throw BuildError(stage.where, "base name (" + stage.base + ") should not be blank");
  std::set<std::size_t> needs;
  planned.base_stage = find_stage(file, planned.base, index);
  if (planned.base_stage) needs.insert(*planned.base_stage);
  for (const std::string& name : sources_of(stage, file.escape, variables)) {
    const auto source = find_stage(file, name, index);
    if (source) needs.insert(*source);
    const auto any = find_stage(file, name, file.stages.size());
    if (!source && any) throw BuildError(stage.where, "stage \"" + name + "\" is used before it is built");
  }
  planned.needs.assign(needs.begin(), needs.end());
  return planned;
}

std::size_t find_target(const Dockerfile& file, std::string_view target) {
  if (target.empty()) return file.stages.size() - 1;
  const auto found = find_stage(file, target, file.stages.size());
  if (found) return *found;
  throw BuildError({file.stages[0].where.file, 1, "target"},
                   "stage \"" + std::string(target) + "\" is not in the file");
}

bool is_true(std::string_view value) {
  return value.empty() || value == "true" || value == "1";
}

}  // namespace

Pairs global_arguments(const Dockerfile& file, const Pairs& given) {
#if defined(__aarch64__)
  const std::string architecture = "arm64";
#else
  const std::string architecture = "amd64";
#endif
  Pairs globals;
  for (const char* side : {"TARGET", "BUILD"}) {
    globals.emplace_back(std::string(side) + "PLATFORM", "linux/" + architecture);
    globals.emplace_back(std::string(side) + "OS", "linux");
    globals.emplace_back(std::string(side) + "ARCH", architecture);
    globals.emplace_back(std::string(side) + "VARIANT", "");
  }
  for (const Instruction& arg : file.global_args) {
    for (const std::string& word : split_words(arg.text, file.escape)) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      try {
        const auto value = find(given, name);
        if (value) {
          globals.emplace_back(name, *value);
        } else if (equals != std::string::npos) {
          globals.emplace_back(name, expand_word(word.substr(equals + 1), lookup_in(globals), file.escape));
        }
      } catch (const WordError& error) {
        throw BuildError(arg.where, error.what());
      }
    }
  }
  return globals;
}

std::optional<std::size_t> find_stage(const Dockerfile& file, std::string_view name, std::size_t before) {
  const std::string wanted = core::to_lower(name);
  for (std::size_t i = before; i-- > 0;) {
    if (!file.stages[i].name.empty() && file.stages[i].name == wanted) return i;
  }
  const auto number = core::parse_int(name);
  if (number && *number >= 0 && static_cast<std::size_t>(*number) < before)
    return static_cast<std::size_t>(*number);
  return std::nullopt;
}

StageGraph plan_stages(const Dockerfile& file, std::string_view target, const Pairs& globals) {
  StageGraph graph;
  graph.target = find_target(file, target);
  std::vector<std::optional<PlannedStage>> planned(file.stages.size());
  std::vector<std::size_t> open = {graph.target};
  while (!open.empty()) {
    const std::size_t index = open.back();
    open.pop_back();
    if (planned[index]) continue;
    planned[index] = plan_stage(file, index, lookup_in(globals));
    open.insert(open.end(), planned[index]->needs.begin(), planned[index]->needs.end());
  }
  for (auto& each : planned) {
    if (!each) continue;
    graph.steps += 1 + file.stages[each->index].instructions.size();
    graph.stages.push_back(std::move(*each));
  }
  return graph;
}

RunMount parse_run_mount(const Instruction& run, std::string_view value) {
  RunMount mount;
  for (const std::string& field : core::split(value, ',')) {
    const std::size_t equals = field.find('=');
    const std::string name = core::to_lower(field.substr(0, equals));
    const std::string text = equals == std::string::npos ? "" : field.substr(equals + 1);
    if (name == "type") {
      mount.type = text;
    } else if (name == "target" || name == "dst" || name == "destination") {
      mount.target = text;
    } else if (name == "source" || name == "src") {
      mount.source = text;
    } else if (name == "from") {
      mount.from = text;
    } else if (name == "id") {
      mount.id = text;
    } else if (name == "rw" || name == "readwrite") {
      mount.read_write = is_true(text);
    } else if (name == "ro" || name == "readonly") {
      mount.read_write = !is_true(text);
    } else if (name == "required") {
      mount.required = is_true(text);
    } else if (name == "mode") {
      mount.mode = text;
    } else if (name == "size") {
      mount.size = text;
    } else if (name != "sharing" && name != "uid" && name != "gid" && name != "env") {
      throw BuildError(run.where, "unexpected key '" + name + "' in --mount");
    }
  }
  if (mount.type != "bind" && mount.type != "cache" && mount.type != "tmpfs" && mount.type != "secret") {
    throw BuildError(
        run.where, "--mount of type \"" + mount.type + "\" is not offered (bind, cache, tmpfs, secret are)");
  }
  if (mount.type == "secret" && mount.id.empty()) mount.id = mount.source;
  if (mount.type == "secret" && mount.target.empty()) mount.target = "/run/secrets/" + mount.id;
  if (mount.target.empty()) throw BuildError(run.where, "--mount needs a target");
  return mount;
}

}  // namespace sampan::build
