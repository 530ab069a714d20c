// The regular expressions of the API models, matched in time linear in the text (an automaton, no
// backtracking), because both the text and its length come from outside.
//
// Known: literals, '.', classes with ranges and escapes (\d \w \s \S \p{L} \p{N} \p{Z} \uXXXX), groups, '|',
// '*' '+' '?' '{n,m}', '^' and '$'. The whole text must match, as AWS's own validation has it. Letters
// outside ASCII are told by blocks, not by the Unicode database.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sampan::aws {

class Pattern {
 public:
  // Nothing when the expression uses what is not known here.
  static std::optional<Pattern> compile(std::string_view expression);
  bool matches(std::string_view text) const;

 private:
  friend class PatternCompiler;
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  struct CharacterSet {
    bool negated = false;
    std::vector<Range> ranges;
    bool contains(std::uint32_t character) const;
  };
  enum class Op : std::uint8_t { kSet, kSplit, kJump, kBegin, kEnd, kMatch };
  struct Step {
    Op op;
    std::uint32_t first = 0;   // kSet: which set; kSplit, kJump: where to
    std::uint32_t second = 0;  // kSplit: the other way
  };
  void follow(std::uint32_t step, bool at_begin, bool at_end, std::vector<std::uint32_t>& states,
              std::vector<bool>& seen) const;

  std::vector<Step> steps_;
  std::vector<CharacterSet> sets_;
};

// Compiled once for each expression and kept. `expression` must live for ever (a model's constant). An
// expression that cannot be compiled matches everything. Thread-safe.
bool matches_pattern(std::string_view expression, std::string_view text);

}  // namespace sampan::aws
