#include "build/ignore.h"

#include <optional>
#include <span>

#include "core/text.h"

namespace sampan::build {
namespace {

constexpr std::size_t kMostRules = 4096;

// "a/./b//../c" is {a, c}; ".." at the root goes nowhere.
std::vector<std::string> clean_parts(std::string_view path) {
  std::vector<std::string> parts;
  for (std::string& part : core::split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (part != "..") parts.push_back(std::move(part));
  }
  return parts;
}

using Parts = std::span<const std::string>;

// Whether `pattern` is the whole of `path`. "**" stands for any number of parts; as with '*' in a part, going
// back to the last one is enough.
bool match_parts(Parts pattern, Parts path) {
  std::optional<std::pair<Parts, Parts>> any;
  while (true) {
    if (!pattern.empty() && pattern[0] == "**") {
      pattern = pattern.subspan(1);
      if (pattern.empty()) return !path.empty();
      any.emplace(pattern, path);
      continue;
    }
    if (pattern.empty() && path.empty()) return true;
    if (!pattern.empty() && !path.empty() && match_part(pattern[0], path[0])) {
      pattern = pattern.subspan(1);
      path = path.subspan(1);
      continue;
    }
    if (!any || any->second.empty()) return false;
    any->second = any->second.subspan(1);
    pattern = any->first;
    path = any->second;
  }
}

// The class after '[': moves `pattern` behind ']'. Nothing when malformed.
std::optional<bool> match_class(std::string_view& pattern, char c) {
  bool negated = false;
  if (pattern.starts_with('^')) {
    negated = true;
    pattern.remove_prefix(1);
  }
  bool matched = false;
  bool any = false;
  const auto take = [&pattern]() -> std::optional<char> {
    if (pattern.starts_with('\\')) pattern.remove_prefix(1);
    if (pattern.empty()) return std::nullopt;
    const char taken = pattern[0];
    pattern.remove_prefix(1);
    return taken;
  };
  while (!(pattern.starts_with(']') && any)) {
    const auto low = take();
    if (!low) return std::nullopt;
    auto high = low;
    if (pattern.starts_with('-')) {
      pattern.remove_prefix(1);
      high = take();
      if (!high) return std::nullopt;
    }
    matched = matched || (*low <= c && c <= *high);
    any = true;
  }
  pattern.remove_prefix(1);
  return matched != negated;
}

}  // namespace

bool match_part(std::string_view pattern, std::string_view text) {
  // The last star, and where it last gave up: enough to backtrack, and never exponential.
  std::optional<std::pair<std::string_view, std::string_view>> star;
  while (true) {
    bool matched = false;
    if (pattern.starts_with('*')) {
      while (pattern.starts_with('*')) pattern.remove_prefix(1);
      star.emplace(pattern, text);
      continue;
    }
    if (pattern.empty() && text.empty()) return true;
    if (!pattern.empty() && !text.empty()) {
      std::string_view rest = pattern.substr(1);
      if (pattern[0] == '[') {
        const auto in_class = match_class(rest, text[0]);
        if (!in_class) return false;
        matched = *in_class;
      } else if (pattern[0] == '\\' && !rest.empty()) {
        matched = rest[0] == text[0];
        rest.remove_prefix(1);
      } else {
        matched = pattern[0] == '?' || pattern[0] == text[0];
      }
      if (matched) {
        pattern = rest;
        text.remove_prefix(1);
      }
    }
    if (matched) continue;
    if (!star || star->second.empty()) return false;
    star->second.remove_prefix(1);
    pattern = star->first;
    text = star->second;
  }
}

IgnoreRules::IgnoreRules(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (const std::string& line : core::split(text, '\n')) {
    if (line.starts_with('#')) continue;
    std::string_view pattern = core::trim(line);
    Rule rule;
    if (pattern.starts_with('!')) {
      rule.take_back = true;
      pattern = core::trim(pattern.substr(1));
    }
    rule.parts = clean_parts(pattern);
    if (rule.parts.empty() || rules_.size() == kMostRules) continue;
    takes_back_ = takes_back_ || rule.take_back;
    rules_.push_back(std::move(rule));
  }
}

bool IgnoreRules::ignores(std::string_view path) const {
  const std::vector<std::string> parts = clean_parts(path);
  bool ignored = false;
  for (const Rule& rule : rules_) {
    if (rule.take_back != ignored) continue;  // it could change nothing
    bool matched = false;
    for (std::size_t depth = 1; depth <= parts.size() && !matched; ++depth) {
      matched = match_parts(rule.parts, Parts(parts).first(depth));
    }
    if (matched) ignored = !rule.take_back;
  }
  return ignored;
}

}  // namespace sampan::build
