// Gem::Version: numbers and words; a word makes a pre-release; zeros at the end of either half do not count.
#include <optional>
#include <vector>

#include "scan/version_parts.h"

namespace sampan::scan {
namespace {

using Segments = std::vector<std::string_view>;

bool is_zero(std::string_view segment) {
  return is_number(segment) && compare_numbers(segment, "0") == 0;
}

// Numbers before the first word, and the rest, each without zeros at its end.
std::optional<Segments> read(std::string_view text) {
  Segments numbers, words;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '.') {
      text.remove_prefix(1);
    } else if (c == '-') {  // Gem::Version reads it as ".pre."
      text.remove_prefix(1);
      words.push_back("pre");
    } else if (is_digit(c)) {
      (words.empty() ? numbers : words).push_back(take_while(text, is_digit));
    } else if (is_letter(c)) {
      words.push_back(take_while(text, is_letter));
    } else {
      return std::nullopt;
    }
  }
  while (!numbers.empty() && is_zero(numbers.back())) numbers.pop_back();
  while (!words.empty() && is_zero(words.back())) words.pop_back();
  numbers.insert(numbers.end(), words.begin(), words.end());
  return numbers;
}

int compare_segments(std::string_view a, std::string_view b) {
  const bool left = is_number(a), right = is_number(b);
  if (left && right) return compare_numbers(a, b);
  if (left != right) return left ? 1 : -1;
  return compare_text(a, b);
}

}  // namespace

int compare_gem(std::string_view a, std::string_view b) {
  const auto left = read(a), right = read(b);
  if (!left || !right) {
    if (left || right) return left ? 1 : -1;
    return compare_text(a, b);
  }
  const auto size = std::max(left->size(), right->size());
  for (std::size_t i = 0; i < size; ++i) {
    const auto one = i < left->size() ? (*left)[i] : std::string_view("0");
    const auto other = i < right->size() ? (*right)[i] : std::string_view("0");
    if (const int order = compare_segments(one, other); order != 0) return order;
  }
  return 0;
}

}  // namespace sampan::scan
