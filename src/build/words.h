// Words of instructions as Docker reads them: quotes, escapes and variables
// ($name, ${name}, ${name:-word}, ${name-word}, ${name:+word}, ${name+word}, ${name:?text}). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace sampan::build {

using Variables = std::function<std::optional<std::string>(std::string_view name)>;

// Bad quoting or substitution: its reason alone; the caller knows the place.
class WordError : public core::Error {
 public:
  using core::Error::Error;
};

// The whole of `text` as one word: quotes and escapes go, variables are put in, spaces stay.
std::string expand_word(std::string_view text, const Variables& variables, char escape);
// Split at spaces outside quotes, each expanded; an unquoted variable's spaces do not split (Docker's do only
// where several words are allowed, and nobody relies on it).
std::vector<std::string> expand_words(std::string_view text, const Variables& variables, char escape);
// Words as they stand, quotes and escapes kept.
std::vector<std::string> split_words(std::string_view text, char escape);
// "a=1 b='2 3'" or the old form "a 1 2": names and values, both expanded.
std::vector<std::pair<std::string, std::string>> expand_pairs(std::string_view text,
                                                              const Variables& variables, char escape);
// The variables in a heredoc's body; quotes there are text.
std::string expand_body(std::string_view text, const Variables& variables, char escape);

}  // namespace sampan::build
