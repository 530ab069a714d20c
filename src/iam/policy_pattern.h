// Patterns of policies: '*' and '?', and variables such as ${aws:username}. Pure.
//
// A variable's value is taken literally, whatever characters it has: a user named "*" matches nobody else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::iam {

class Context;

// Whether ${…} means something in a document: from version 2012-10-17 on.
enum class Variables { kLiteral, kExpanded };

// A pattern ready to match. Characters, and two marks beyond them.
class Pattern {
 public:
  enum class Wildcards { kLiteral, kMatch };
  enum class Case { kMatters, kIgnored };

  // Nothing when it has a variable without a value: such a pattern matches nothing.
  static std::optional<Pattern> make(std::string_view text, const Context& context, Variables variables,
                                     Wildcards wildcards = Wildcards::kMatch);
  bool matches(std::string_view text, Case letters = Case::kMatters) const;
  // The part between its colons: of "arn:aws:ecr:*:1:repository/a:b" the sixth is "repository/a:b".
  std::vector<Pattern> arn_parts() const;
  bool ends_in_run() const { return !marks_.empty() && marks_.back() == kRun; }
  // The text, where there are no wildcards.
  std::string literal() const;

 private:
  static constexpr std::uint16_t kRun = 256;
  static constexpr std::uint16_t kOne = 257;
  void append_literal(std::string_view text);

  std::vector<std::uint16_t> marks_;
};

// "ecr:Batch*" of "ecr:BatchGetImage": letters' case does not count.
bool action_matches(std::string_view pattern, std::string_view action);
// Segment by segment, as ArnLike has it: a '*' does not reach over the first five colons.
bool arn_matches(const Pattern& pattern, std::string_view arn);

}  // namespace sampan::iam
