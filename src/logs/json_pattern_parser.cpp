#include "logs/json_pattern_parser.h"

#include <fmt/core.h>

#include <cctype>
#include <charconv>
#include <utility>

#include "core/text.h"

namespace sampan::logs {
namespace {

constexpr int kDepthLimit = 32;

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  JsonTerm pattern() {
    expect("{");
    JsonTerm root = any_of();
    expect("}");
    skip_space();
    if (!rest_.empty()) fail("something follows the closing brace");
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& why) {
    throw InvalidPattern(fmt::format("{} at '{}'", why, rest_));
  }

  void skip_space() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) rest_.remove_prefix(1);
  }
  bool accept(std::string_view token) {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) fail(fmt::format("'{}' was expected", token));
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (!core::equal_ignoring_case(rest_.substr(0, word.size()), word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  JsonTerm any_of() { return joined("||", JsonTerm::Kind::kOr, &Parser::all_of); }
  JsonTerm all_of() { return joined("&&", JsonTerm::Kind::kAnd, &Parser::term); }

  JsonTerm joined(std::string_view token, JsonTerm::Kind kind, JsonTerm (Parser::*part)()) {
    JsonTerm first = (this->*part)();
    if (!accept(token)) return first;
    JsonTerm all{kind, {}, {}};
    all.terms.push_back(std::move(first));
    do {
      all.terms.push_back((this->*part)());
    } while (accept(token));
    return all;
  }

  JsonTerm term() {
    if (!accept("(")) return {JsonTerm::Kind::kCondition, condition(), {}};
    if (++depth_ > kDepthLimit) fail("parentheses are nested too deeply");
    JsonTerm inner = any_of();
    expect(")");
    --depth_;
    return inner;
  }

  JsonCondition condition() {
    JsonCondition made;
    expect("$");
    made.path = path();
    if (accept_word("IS")) {
      made.test = constant();
      return made;
    }
    if (accept_word("NOT")) {
      if (!accept_word("EXISTS")) fail("EXISTS was expected");
      made.test = JsonTest::kAbsent;
      return made;
    }
    made.test = comparison();
    made.value = value();
    const bool ordered = made.test != JsonTest::kEqual && made.test != JsonTest::kNotEqual;
    if (ordered && !std::holds_alternative<double>(made.value)) fail("a number was expected");
    return made;
  }

  JsonTest constant() {
    if (accept_word("NULL")) return JsonTest::kNull;
    if (accept_word("TRUE")) return JsonTest::kTrue;
    if (accept_word("FALSE")) return JsonTest::kFalse;
    fail("NULL, TRUE or FALSE was expected");
  }

  JsonTest comparison() {
    if (accept("!=")) return JsonTest::kNotEqual;
    if (accept("<=")) return JsonTest::kLessEqual;
    if (accept(">=")) return JsonTest::kGreaterEqual;
    if (accept("=")) return JsonTest::kEqual;
    if (accept("<")) return JsonTest::kLess;
    if (accept(">")) return JsonTest::kGreater;
    fail("a comparison was expected");
  }

  std::vector<JsonStep> path() {
    std::vector<JsonStep> steps;
    for (;;) {
      if (rest_.starts_with('.')) {
        rest_.remove_prefix(1);
        steps.emplace_back(name());
      } else if (rest_.starts_with('[')) {
        rest_.remove_prefix(1);
        steps.push_back(bracketed());
      } else {
        return steps;
      }
    }
  }

  std::string name() {
    std::size_t end = 0;
    while (end < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[end])) || rest_[end] == '_' ||
                                  rest_[end] == '-' || rest_[end] == '@')) {
      ++end;
    }
    if (end == 0) fail("a member's name was expected");
    std::string taken(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return taken;
  }

  JsonStep bracketed() {
    skip_space();
    if (rest_.starts_with('\'') || rest_.starts_with('"')) {
      std::string taken = quoted();
      expect("]");
      return taken;
    }
    std::size_t index = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), index);
    if (error != std::errc()) fail("an index was expected");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    expect("]");
    return index;
  }

  std::string quoted() {
    const char mark = rest_[0];
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        text += rest_[++i];
      } else if (rest_[i] == mark) {
        rest_.remove_prefix(i + 1);
        return text;
      } else {
        text += rest_[i];
      }
    }
    fail("a quotation mark is not closed");
  }

  std::variant<std::string, double> value() {
    skip_space();
    if (rest_.starts_with('"') || rest_.starts_with('\'')) return quoted();
    if (rest_.starts_with('%')) fail("regular expressions are not supported");
    const auto end = std::min(rest_.find_first_of(" \t\r\n)}&|"), rest_.size());
    if (end == 0) fail("a value was expected");
    const auto word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    double number = 0;
    auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc() && stop == word.data() + word.size()) return number;
    return std::string(word);
  }

  std::string_view rest_;
  int depth_ = 0;
};

}  // namespace

JsonTerm parse_json_pattern(std::string_view pattern) {
  return Parser(pattern).pattern();
}

}  // namespace sampan::logs
