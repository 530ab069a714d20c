#include "iam/policy_pattern.h"

#include "core/text.h"
#include "iam/policy_condition.h"

namespace sampan::iam {
namespace {

constexpr std::size_t kArnParts = 6;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// "aws:username" or "aws:username, 'nobody'": the value, or the default.
std::optional<std::string> value_of(std::string_view inside, const Context& context) {
  const auto comma = inside.find(',');
  if (auto value = context.text(core::trim(inside.substr(0, comma)))) return value;
  if (comma == std::string_view::npos) return std::nullopt;
  const auto fallback = core::trim(inside.substr(comma + 1));
  if (fallback.size() < 2 || fallback.front() != '\'' || fallback.back() != '\'') return std::nullopt;
  return std::string(fallback.substr(1, fallback.size() - 2));
}

bool is_escape(std::string_view inside) {
  return inside == "*" || inside == "?" || inside == "$";
}

// The first five parts end at a colon, the sixth holds the rest.
std::vector<std::string_view> split_arn(std::string_view arn) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < kArnParts) {
    const auto colon = arn.find(':');
    if (colon == std::string_view::npos) break;
    parts.push_back(arn.substr(0, colon));
    arn.remove_prefix(colon + 1);
  }
  parts.push_back(arn);
  return parts;
}

}  // namespace

std::optional<Pattern> Pattern::make(std::string_view text, const Context& context, Variables variables,
                                     Wildcards wildcards) {
  Pattern pattern;
  pattern.marks_.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto rest = text.substr(i);
    const auto end = rest.find('}');
    if (variables == Variables::kExpanded && rest.starts_with("${") && end != std::string_view::npos) {
      const auto inside = rest.substr(2, end - 2);
      const auto value = is_escape(inside) ? std::string(inside) : value_of(inside, context);
      if (!value) return std::nullopt;
      pattern.append_literal(*value);
      i += end;
    } else if (wildcards == Wildcards::kMatch && (text[i] == '*' || text[i] == '?')) {
      pattern.marks_.push_back(text[i] == '*' ? kRun : kOne);
    } else {
      pattern.append_literal(text.substr(i, 1));
    }
  }
  return pattern;
}

void Pattern::append_literal(std::string_view text) {
  for (const char c : text) marks_.push_back(static_cast<unsigned char>(c));
}

// Two fingers; after a mismatch the last run takes one character more. No recursion, so that no pattern of a
// stranger's costs more than its length times the text's.
bool Pattern::matches(std::string_view text, Case letters) const {
  const auto same = [&](std::uint16_t mark, char c) {
    if (mark == kOne) return true;
    if (mark > 255) return false;
    const char wanted = static_cast<char>(mark);
    return wanted == c || (letters == Case::kIgnored && lower(wanted) == lower(c));
  };
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t mark = 0, at = 0, run = kNone, run_at = 0;
  while (at < text.size()) {
    if (mark < marks_.size() && marks_[mark] == kRun) {
      run = mark++;
      run_at = at;
    } else if (mark < marks_.size() && same(marks_[mark], text[at])) {
      ++mark;
      ++at;
    } else if (run != kNone) {
      mark = run + 1;
      at = ++run_at;
    } else {
      return false;
    }
  }
  while (mark < marks_.size() && marks_[mark] == kRun) ++mark;
  return mark == marks_.size();
}

std::vector<Pattern> Pattern::arn_parts() const {
  std::vector<Pattern> parts(1);
  for (const auto mark : marks_) {
    if (mark == ':' && parts.size() < kArnParts) {
      parts.emplace_back();
    } else {
      parts.back().marks_.push_back(mark);
    }
  }
  return parts;
}

std::string Pattern::literal() const {
  std::string text;
  for (const auto mark : marks_) text += mark < 256 ? static_cast<char>(mark) : (mark == kRun ? '*' : '?');
  return text;
}

bool action_matches(std::string_view pattern, std::string_view action) {
  const auto made = Pattern::make(pattern, Context(), Variables::kLiteral);
  return made->matches(action, Pattern::Case::kIgnored);
}

bool arn_matches(const Pattern& pattern, std::string_view arn) {
  const auto wanted = pattern.arn_parts();
  const auto given = split_arn(arn);
  // "*" and "arn:aws:ecr:*": a run at the end reaches over what follows.
  if (wanted.size() < kArnParts && pattern.ends_in_run()) return pattern.matches(arn);
  if (wanted.size() != kArnParts || given.size() != kArnParts) return false;
  for (std::size_t i = 0; i < kArnParts; ++i) {
    if (!wanted[i].matches(given[i])) return false;
  }
  return true;
}

}  // namespace sampan::iam
