#include "logs/filter_pattern.h"

#include <algorithm>

#include "core/text.h"

namespace sampan::logs {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// Takes one term from the front: a word, or what stands between quotes (\" and \\ inside).
std::string take_term(std::string_view& rest) {
  std::string term;
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find_first_of(kSpace), rest.size());
    term = rest.substr(0, end);
    rest.remove_prefix(end);
    return term;
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      term += rest[++i];
    } else if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return term;
    } else {
      term += rest[i];
    }
  }
  throw InvalidPattern("a quotation mark is not closed");
}

bool contains(std::string_view message, const std::string& term) {
  return message.find(term) != std::string_view::npos;
}

}  // namespace

FilterPattern::FilterPattern(std::string_view pattern) {
  pattern = core::trim(pattern);
  if (pattern.starts_with('{')) {
    json_ = std::make_shared<const JsonPattern>(pattern);
  } else if (pattern.starts_with('[')) {
    throw InvalidPattern("space-delimited patterns are not supported");
  } else {
    add_terms(pattern);
  }
}

void FilterPattern::add_terms(std::string_view rest) {
  for (;;) {
    const auto start = rest.find_first_not_of(kSpace);
    if (start == std::string_view::npos) return;
    rest.remove_prefix(start);
    auto* terms = &all_;
    if (rest.size() > 1 && (rest[0] == '?' || rest[0] == '-')) {
      terms = rest[0] == '?' ? &any_ : &none_;
      rest.remove_prefix(1);
    }
    if (rest.starts_with('%')) throw InvalidPattern("regular expressions are not supported");
    terms->push_back(take_term(rest));
  }
}

bool FilterPattern::matches_all() const {
  return !json_ && all_.empty() && any_.empty() && none_.empty();
}

bool FilterPattern::matches(std::string_view message) const {
  if (json_) return json_->matches(message);
  auto found = [&](const std::string& term) { return contains(message, term); };
  if (std::ranges::any_of(none_, found)) return false;
  if (!all_.empty()) return std::ranges::all_of(all_, found);
  return any_.empty() || std::ranges::any_of(any_, found);
}

}  // namespace sampan::logs
