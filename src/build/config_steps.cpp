#include "build/config_steps.h"

#include <signal.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "core/text.h"

namespace sampan::build {
namespace {

std::vector<std::string> words_of(const Instruction& instruction, const StageConfig& stage) {
  if (instruction.exec) {
    std::vector<std::string> words;
    for (const std::string& word : *instruction.exec)
      words.push_back(expand_word(word, stage.variables(), stage.escape));
    return words;
  }
  return expand_words(instruction.text, stage.variables(), stage.escape);
}

std::string word_of(const Instruction& instruction, const StageConfig& stage) {
  return expand_word(instruction.text, stage.variables(), stage.escape);
}

bool is_port(std::string_view text) {
  const auto port = core::parse_int(text);
  return port && *port >= 0 && *port <= 65535;
}

void expose(const Instruction& instruction, StageConfig& stage) {
  for (const std::string& word : words_of(instruction, stage)) {
    const std::size_t slash = word.find('/');
    const std::string ports = word.substr(0, slash);
    const std::string protocol = slash == std::string::npos ? "tcp" : core::to_lower(word.substr(slash + 1));
    const std::size_t dash = ports.find('-');
    const std::string first = ports.substr(0, dash);
    const std::string last = dash == std::string::npos ? first : ports.substr(dash + 1);
    const bool known = protocol == "tcp" || protocol == "udp" || protocol == "sctp";
    if (!known || !is_port(first) || !is_port(last) || std::stoi(first) > std::stoi(last)) {
      throw BuildError(instruction.where, "invalid containerPort: " + word);
    }
    for (int port = std::stoi(first); port <= std::stoi(last); ++port) {
      stage.image.exposed_ports.insert(fmt::format("{}/{}", port, protocol));
    }
  }
}

void stop_signal(const Instruction& instruction, StageConfig& stage) {
  const std::string word = word_of(instruction, stage);
  const auto number = core::parse_int(word);
  bool known = number && *number > 0 && *number < NSIG;
  const std::string name = word.starts_with("SIG") ? word.substr(3) : word;
  for (int signal = 1; signal < NSIG && !known; ++signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    known = abbreviation != nullptr && name == abbreviation;
  }
  known = known || name.starts_with("RTMIN") || name.starts_with("RTMAX");
  if (!known) throw BuildError(instruction.where, "invalid signal: " + word);
  stage.image.stop_signal = word;
}

std::chrono::nanoseconds duration_flag(const Instruction& instruction, std::string_view name) {
  const std::string* text = instruction.flag(name);
  if (text == nullptr) return {};
  const auto duration = parse_duration(*text);
  if (!duration)
    throw BuildError(instruction.where, fmt::format("--{}: invalid duration \"{}\"", name, *text));
  return *duration;
}

void health_check(const Instruction& instruction, StageConfig& stage) {
  image::HealthCheck check;
  const std::string_view text = instruction.text;
  const std::size_t space = std::min(text.find_first_of(" \t"), text.size());
  const std::string kind = core::to_lower(text.substr(0, space));
  if (kind == "none") {
    check.test = {"NONE"};
    stage.image.health_check = std::move(check);
    return;
  }
  if (kind != "cmd") throw BuildError(instruction.where, "unknown type \"" + kind + "\" (NONE or CMD)");
  const std::string rest(core::trim(text.substr(space)));
  if (rest.empty()) throw BuildError(instruction.where, "CMD needs a command");
  const Instruction command = parse_instruction("CMD " + rest, instruction.where);
  if (command.exec) {
    check.test = *command.exec;
    check.test.insert(check.test.begin(), "CMD");
  } else {
    check.test = {"CMD-SHELL", rest};
  }
  check.interval = duration_flag(instruction, "interval");
  check.timeout = duration_flag(instruction, "timeout");
  check.start_period = duration_flag(instruction, "start-period");
  check.start_interval = duration_flag(instruction, "start-interval");
  const std::string* retries = instruction.flag("retries");
  const auto count = core::parse_int(retries != nullptr ? *retries : "0");
  if (!count || *count < 0 || *count > 1000)
    throw BuildError(instruction.where, "--retries must be a number, 0 to 1000");
  check.retries = static_cast<int>(*count);
  stage.image.health_check = std::move(check);
}

void environment(const Instruction& instruction, StageConfig& stage) {
  // All values see the variables as they were before the line.
  for (const auto& [name, value] : expand_pairs(instruction.text, stage.variables(), stage.escape)) {
    set_variable(stage.image.env, name, value);
  }
}

void apply(const Instruction& instruction, StageConfig& stage) {
  image::ImageConfig& image = stage.image;
  switch (instruction.keyword) {
    case Keyword::kEnv:
      return environment(instruction, stage);
    case Keyword::kLabel:
      for (auto& [name, value] : expand_pairs(instruction.text, stage.variables(), stage.escape))
        image.labels[name] = value;
      return;
    case Keyword::kCmd:
      image.cmd = command_line(instruction, stage);
      stage.cmd_set = true;
      return;
    case Keyword::kEntrypoint:
      image.entrypoint = command_line(instruction, stage);
      if (!stage.cmd_set) image.cmd.clear();  // the base's arguments were for the base's program
      return;
    case Keyword::kUser:
      image.user = word_of(instruction, stage);
      return;
    case Keyword::kExpose:
      return expose(instruction, stage);
    case Keyword::kVolume:
      for (const std::string& path : words_of(instruction, stage)) image.volumes.insert(path);
      return;
    case Keyword::kStopsignal:
      return stop_signal(instruction, stage);
    case Keyword::kHealthcheck:
      return health_check(instruction, stage);
    case Keyword::kShell:
      image.shell = *instruction.exec;
      return;
    case Keyword::kMaintainer:
      image.author = instruction.text;
      return;
    case Keyword::kOnbuild:
      image.on_build.push_back(instruction.text);
      return;
    default:
      return;
  }
}

}  // namespace

std::optional<std::string> StageConfig::variable(std::string_view name) const {
  for (const std::string& entry : image.env) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  for (auto each = args.rbegin(); each != args.rend(); ++each) {
    if (each->first == name) return each->second;
  }
  return std::nullopt;
}

Variables StageConfig::variables() const {
  return [this](std::string_view name) { return variable(name); };
}

bool apply_config_step(const Instruction& instruction, StageConfig& stage) {
  switch (instruction.keyword) {
    case Keyword::kRun:
    case Keyword::kCopy:
    case Keyword::kAdd:
    case Keyword::kWorkdir:
    case Keyword::kArg:
    case Keyword::kFrom:
      return false;
    default:
      break;
  }
  try {
    apply(instruction, stage);
  } catch (const WordError& error) {
    throw BuildError(instruction.where, error.what());
  }
  return true;
}

std::vector<std::string> command_line(const Instruction& instruction, const StageConfig& stage) {
  if (instruction.exec) return *instruction.exec;
  std::vector<std::string> line = stage.image.shell;
  if (line.empty()) line = {"/bin/sh", "-c"};
  line.push_back(instruction.text);
  return line;
}

std::string resolve_path(const StageConfig& stage, std::string_view path) {
  const std::string base = stage.image.working_dir.empty() ? "/" : stage.image.working_dir;
  const std::filesystem::path joined = std::filesystem::path(base) / path;
  std::string normal = ("/" / joined.relative_path()).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

void set_variable(std::vector<std::string>& environment, const std::string& name, const std::string& value) {
  for (std::string& entry : environment) {
    if (entry.starts_with(name + "=")) {
      entry = name + "=" + value;
      return;
    }
  }
  environment.push_back(name + "=" + value);
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double nanoseconds;
  };
  // Longer names first: "ms" is no minute.
  static constexpr Unit kUnits[] = {{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                                    {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  if (text == "0") return std::chrono::nanoseconds(0);
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    char* end = nullptr;
    const std::string number(text.substr(0, digits));
    const double value = std::strtod(number.c_str(), &end);
    if (*end != '\0') return std::nullopt;
    text.remove_prefix(digits);
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (found == nullptr && text.starts_with(unit.name)) found = &unit;
    }
    if (found == nullptr) return std::nullopt;
    text.remove_prefix(found->name.size());
    total += value * found->nanoseconds;
  }
  if (total > 9.2e18) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

}  // namespace sampan::build
