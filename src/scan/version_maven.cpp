// Maven, POM reference, "Version Order Specification": tokens between '.', '-' and changes between digits and
// letters; empty values at the end of each hyphen's part are dropped; the shorter version is padded.
#include <array>
#include <vector>

#include "core/text.h"
#include "scan/version_parts.h"

namespace sampan::scan {
namespace {

struct Token {
  char separator;  // '.' or '-'
  std::string text;
  bool number;
};
using Tokens = std::vector<Token>;

// The place of a word among the known ones; nothing known comes after all of them.
constexpr std::array<std::string_view, 7> kWords{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"};
constexpr int kEmptyWord = 5;

int place_of(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return static_cast<int>(i);
  }
  return static_cast<int>(kWords.size());
}

std::string canonical(std::string_view word, bool number_follows) {
  if (number_follows && word == "a") return "alpha";
  if (number_follows && word == "b") return "beta";
  if (number_follows && word == "m") return "milestone";
  if (word == "ga" || word == "final" || word == "release") return "";
  if (word == "cr") return "rc";
  return std::string(word);
}

bool is_null(const Token& token) {
  return token.number ? compare_numbers(token.text, "0") == 0 : token.text.empty();
}

void trim(Tokens& tokens) {
  for (std::size_t end = tokens.size(); end > 0;) {
    std::size_t first = end;
    while (first > 0 && is_null(tokens[first - 1])) --first;
    // The first token stands for the version itself.
    tokens.erase(
        tokens.begin() + static_cast<std::ptrdiff_t>(first == 0 ? 1 : first),
        tokens.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(end, first == 0 ? 1 : first)));
    if (first == 0) return;
    end = first - 1;
    while (end > 0 && tokens[end].separator != '-') --end;
  }
}

Tokens read(std::string_view text) {
  Tokens tokens;
  const auto lower = core::to_lower(text);
  std::string_view rest = lower;
  char separator = '-';
  while (true) {
    if (rest.empty() || rest.front() == '.' || rest.front() == '-') {
      tokens.push_back({separator, "0", true});
    } else if (is_digit(rest.front())) {
      tokens.push_back({separator, std::string(take_while(rest, is_digit)), true});
    } else {
      const auto word = take_while(rest, [](char c) { return !is_digit(c) && c != '.' && c != '-'; });
      const bool number_follows = !rest.empty() && is_digit(rest.front());
      tokens.push_back({separator, canonical(word, number_follows), false});
    }
    if (rest.empty()) break;
    separator = '-';
    if (rest.front() == '.' || rest.front() == '-') {
      separator = rest.front();
      rest.remove_prefix(1);
    }
  }
  trim(tokens);
  return tokens;
}

// ".word" and "-word" before "-number" before ".number".
int kind_of(const Token& token) {
  if (!token.number) return 0;
  return token.separator == '-' ? 1 : 2;
}

int compare_words(std::string_view a, std::string_view b) {
  const int left = place_of(a), right = place_of(b);
  if (left != right) return left < right ? -1 : 1;
  return left == static_cast<int>(kWords.size()) ? compare_text(a, b) : 0;
}

// Against what stands where the other version has ended.
int compare_to_end(const Token& token) {
  if (token.number) return compare_numbers(token.text, "0");
  const int place = place_of(token.text);
  return (place > kEmptyWord) - (place < kEmptyWord);
}

int compare_tokens(const Token& a, const Token& b) {
  if (kind_of(a) != kind_of(b)) return kind_of(a) < kind_of(b) ? -1 : 1;
  return a.number ? compare_numbers(a.text, b.text) : compare_words(a.text, b.text);
}

}  // namespace

int compare_maven(std::string_view a, std::string_view b) {
  const auto left = read(a), right = read(b);
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    int order = 0;
    if (i >= left.size()) {
      order = -compare_to_end(right[i]);
    } else if (i >= right.size()) {
      order = compare_to_end(left[i]);
    } else {
      order = compare_tokens(left[i], right[i]);
    }
    if (order != 0) return order;
  }
  return 0;
}

}  // namespace sampan::scan
