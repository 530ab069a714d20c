#include "build/dockerfile.h"

#include <boost/json.hpp>
#include <cctype>

#include "build/lines.h"
#include "core/text.h"

namespace sampan::build {
namespace {

namespace json = boost::json;

constexpr std::size_t kLargestFile = 1024 * 1024;
constexpr std::size_t kMostInstructions = 4096;
constexpr std::size_t kMostStages = 256;

struct KeywordRow {
  Keyword keyword;
  std::string_view name;
  std::string_view flags;  // that it knows, each between spaces
  bool exec_form;
};

constexpr KeywordRow kKeywords[] = {
    {Keyword::kAdd, "ADD", " chown chmod checksum link keep-git-dir exclude ", true},
    {Keyword::kArg, "ARG", "", false},
    {Keyword::kCmd, "CMD", "", true},
    {Keyword::kCopy, "COPY", " from chown chmod link parents exclude ", true},
    {Keyword::kEntrypoint, "ENTRYPOINT", "", true},
    {Keyword::kEnv, "ENV", "", false},
    {Keyword::kExpose, "EXPOSE", "", false},
    {Keyword::kFrom, "FROM", " platform ", false},
    {Keyword::kHealthcheck, "HEALTHCHECK", " interval timeout start-period start-interval retries ", false},
    {Keyword::kLabel, "LABEL", "", false},
    {Keyword::kMaintainer, "MAINTAINER", "", false},
    {Keyword::kOnbuild, "ONBUILD", "", false},
    {Keyword::kRun, "RUN", " mount network security ", true},
    {Keyword::kShell, "SHELL", "", true},
    {Keyword::kStopsignal, "STOPSIGNAL", "", false},
    {Keyword::kUser, "USER", "", false},
    {Keyword::kVolume, "VOLUME", "", true},
    {Keyword::kWorkdir, "WORKDIR", "", false},
};

const KeywordRow& row(Keyword keyword) {
  for (const KeywordRow& each : kKeywords) {
    if (each.keyword == keyword) return each;
  }
  core::check_failed("a known keyword", __FILE__, __LINE__);
}

// The first word; `rest` is what follows it and white space.
std::string_view first_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find_first_of(" \t\n"), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest = core::trim(rest.substr(end));
  return word;
}

std::optional<std::vector<std::string>> parse_exec(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error || !parsed.is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const json::value& each : parsed.as_array()) {
    if (!each.is_string()) return std::nullopt;
    words.emplace_back(each.as_string());
  }
  return words;
}

void take_flags(Instruction& instruction, std::string_view& rest) {
  const KeywordRow& known = row(instruction.keyword);
  while (!known.flags.empty() && rest.starts_with("--")) {
    if (rest == "--" || rest.starts_with("-- ")) {
      rest = core::trim(rest.substr(2));
      return;
    }
    const std::string_view word = first_word(rest).substr(2);
    const std::size_t equals = word.find('=');
    Flag flag{std::string(word.substr(0, equals)),
              equals == std::string_view::npos ? "true" : std::string(word.substr(equals + 1))};
    if (known.flags.find(" " + flag.name + " ") == std::string_view::npos) {
      throw BuildError(instruction.where, "unknown flag --" + flag.name);
    }
    instruction.flags.push_back(std::move(flag));
  }
}

Instruction parse_line(std::string_view text, Location where, std::vector<Heredoc> heredocs) {
  std::string_view rest = core::trim(text);
  const std::string word(first_word(rest));
  const auto keyword = keyword_of(word);
  where.instruction = word;
  if (!keyword) throw BuildError(where, "unknown instruction");
  where.instruction = std::string(keyword_name(*keyword));
  Instruction instruction;
  instruction.keyword = *keyword;
  instruction.where = std::move(where);
  instruction.heredocs = std::move(heredocs);
  take_flags(instruction, rest);
  instruction.text = std::string(rest);
  if (instruction.text.empty()) throw BuildError(instruction.where, "needs at least one argument");
  if (row(*keyword).exec_form) instruction.exec = parse_exec(instruction.text);
  return instruction;
}

bool valid_stage_name(std::string_view name) {
  if (name.empty() || !std::isalpha(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

Stage parse_from(const Instruction& from) {
  Stage stage;
  stage.where = from.where;
  if (const std::string* platform = from.flag("platform")) stage.platform = *platform;
  std::vector<std::string> words;
  std::string_view rest = from.text;
  while (!rest.empty()) words.emplace_back(first_word(rest));
  if (words.size() != 1 && !(words.size() == 3 && core::equal_ignoring_case(words[1], "as"))) {
    throw BuildError(from.where, "must be FROM image or FROM image AS name");
  }
  stage.base = words[0];
  if (words.size() == 3) stage.name = core::to_lower(words[2]);
  if (words.size() == 3 && !valid_stage_name(stage.name)) {
    throw BuildError(from.where, "invalid stage name \"" + words[2] + "\"");
  }
  return stage;
}

void require_form(const Instruction& instruction) {
  if (instruction.keyword == Keyword::kShell && (!instruction.exec || instruction.exec->empty())) {
    throw BuildError(instruction.where, "must be in JSON form: [\"program\", \"argument\"]");
  }
  if (instruction.keyword != Keyword::kOnbuild) return;
  const Instruction trigger = parse_instruction(instruction.text, instruction.where);
  if (trigger.keyword == Keyword::kOnbuild || trigger.keyword == Keyword::kFrom ||
      trigger.keyword == Keyword::kMaintainer) {
    throw BuildError(instruction.where,
                     std::string(keyword_name(trigger.keyword)) + " is not allowed as a trigger");
  }
}

void place(Dockerfile& file, Instruction instruction) {
  if (instruction.keyword == Keyword::kFrom) {
    if (file.stages.size() == kMostStages) throw BuildError(instruction.where, "more than 256 stages");
    file.stages.push_back(parse_from(instruction));
    return;
  }
  if (!file.stages.empty()) {
    file.stages.back().instructions.push_back(std::move(instruction));
    return;
  }
  if (instruction.keyword != Keyword::kArg) {
    throw BuildError(instruction.where, "no build stage yet: FROM must come first");
  }
  file.global_args.push_back(std::move(instruction));
}

}  // namespace

BuildError::BuildError(const Location& where, std::string_view why)
    : core::Error(fmt::format("{}:{}: {}: {}", where.file, where.line, where.instruction, why)) {}

const std::string* Instruction::flag(std::string_view name) const {
  for (auto each = flags.rbegin(); each != flags.rend(); ++each) {
    if (each->name == name) return &each->value;
  }
  return nullptr;
}

std::string Instruction::shown() const {
  std::string line(keyword_name(keyword));
  for (const Flag& each : flags) line += " --" + each.name + "=" + each.value;
  return line + " " + text;
}

std::string_view keyword_name(Keyword keyword) {
  return row(keyword).name;
}

std::optional<Keyword> keyword_of(std::string_view word) {
  for (const KeywordRow& each : kKeywords) {
    if (core::equal_ignoring_case(word, each.name)) return each.keyword;
  }
  return std::nullopt;
}

Instruction parse_instruction(std::string_view line, const Location& where) {
  return parse_line(line, where, {});
}

Dockerfile parse_dockerfile(std::string_view text, const std::string& file_name) {
  const Location whole{file_name, 1, "Dockerfile"};
  if (text.size() > kLargestFile) throw BuildError(whole, "larger than 1 MiB");
  LogicalLines logical = split_lines(text, file_name);
  if (logical.lines.size() > kMostInstructions) throw BuildError(whole, "more than 4096 instructions");
  Dockerfile file;
  file.escape = logical.escape;
  for (LogicalLine& line : logical.lines) {
    Instruction instruction = parse_line(line.text, {file_name, line.number, ""}, std::move(line.heredocs));
    require_form(instruction);
    place(file, std::move(instruction));
  }
  if (file.stages.empty()) throw BuildError(whole, "the file has no FROM: nothing to build");
  return file;
}

}  // namespace sampan::build
