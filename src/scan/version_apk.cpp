// apk-tools: digits{.digits}[letter]{_suffix[digits]}[~hash][-rN].
//
// A version is read as tokens, each with a rank and a value; the order of versions is the lexicographic order
// of their tokens. At one place a pre-release suffix comes before the version's end, everything else after
// it.
#include <array>
#include <optional>
#include <vector>

#include "scan/version_parts.h"

namespace sampan::scan {
namespace {

enum Rank { kPre, kEnd, kRevision, kHash, kSuffixNumber, kPost, kLetter, kDigit, kDigitAfterDot };

struct Token {
  Rank rank;
  int order = 0;               // of suffixes, and below zero: how many zeros a part begins with
  std::string_view text = {};  // digits or letters
};
using Tokens = std::vector<Token>;

constexpr std::array<std::string_view, 4> kPreReleases{"alpha", "beta", "pre", "rc"};
constexpr std::array<std::string_view, 5> kPostReleases{"cvs", "svn", "git", "hg", "p"};

template <std::size_t N>
int index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  return -1;
}

// The parts after the first are fractions when they begin with zeros: 1.01 comes before 1.1.
void add_part(Tokens& tokens, std::string_view& rest) {
  if (rest.starts_with('0')) {
    const auto zeros = take_while(rest, [](char c) { return c == '0'; });
    tokens.push_back({kDigitAfterDot, -static_cast<int>(zeros.size())});
    if (!rest.empty() && is_digit(rest.front())) tokens.push_back({kDigit, 0, take_while(rest, is_digit)});
  } else {
    tokens.push_back({kDigitAfterDot, 0, take_while(rest, is_digit)});
  }
}

bool add_suffix(Tokens& tokens, std::string_view& rest) {
  const auto name = take_while(rest, is_letter);
  if (const int pre = index_of(kPreReleases, name); pre >= 0) {
    tokens.push_back({kPre, pre});
  } else if (const int post = index_of(kPostReleases, name); post >= 0) {
    tokens.push_back({kPost, post});
  } else {
    return false;
  }
  const auto number = take_while(rest, is_digit);
  if (!number.empty()) tokens.push_back({kSuffixNumber, 0, number});
  return true;
}

std::optional<Tokens> read(std::string_view rest) {
  Tokens tokens;
  tokens.push_back({kDigit, 0, take_while(rest, is_digit)});
  if (tokens.back().text.empty()) return std::nullopt;
  while (rest.size() > 1 && rest[0] == '.' && is_digit(rest[1])) {
    rest.remove_prefix(1);
    add_part(tokens, rest);
  }
  if (!rest.empty() && rest.front() >= 'a' && rest.front() <= 'z') {
    tokens.push_back({kLetter, 0, rest.substr(0, 1)});
    rest.remove_prefix(1);
  }
  while (rest.starts_with('_')) {
    rest.remove_prefix(1);
    if (!add_suffix(tokens, rest)) return std::nullopt;
  }
  if (rest.starts_with('~')) {
    rest.remove_prefix(1);
    tokens.push_back({kHash, 0, take_while(rest, [](char c) { return is_digit(c) || is_letter(c); })});
  }
  if (rest.starts_with("-r")) {
    rest.remove_prefix(2);
    tokens.push_back({kRevision, 0, take_while(rest, is_digit)});
  }
  if (!rest.empty()) return std::nullopt;
  tokens.push_back({kEnd});
  return tokens;
}

int compare_tokens(const Token& a, const Token& b) {
  if (a.rank != b.rank) return a.rank < b.rank ? -1 : 1;
  if (a.order != b.order) return a.order < b.order ? -1 : 1;
  if (a.rank == kLetter || a.rank == kHash) return compare_text(a.text, b.text);
  return compare_numbers(a.text, b.text);
}

}  // namespace

int compare_apk(std::string_view a, std::string_view b) {
  const auto left = read(a), right = read(b);
  if (!left || !right) {
    if (left || right) return left ? 1 : -1;
    return compare_text(a, b);
  }
  for (std::size_t i = 0; i < left->size() && i < right->size(); ++i) {
    if (const int order = compare_tokens((*left)[i], (*right)[i]); order != 0) return order;
  }
  return 0;  // both ended: kEnd is the last of each
}

}  // namespace sampan::scan
