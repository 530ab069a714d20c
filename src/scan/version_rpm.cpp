// rpm: [epoch:]version[-release], each by rpmvercmp: runs of digits or letters, '~' before the end, '^' after
// it.
#include "scan/version_parts.h"

namespace sampan::scan {
namespace {

bool is_kept(char c) {
  return is_digit(c) || is_letter(c) || c == '~' || c == '^';
}

// '~' and '^' at the front of either text; nothing decided: 2.
int compare_marks(std::string_view& a, std::string_view& b) {
  if (a.starts_with('~') || b.starts_with('~')) {
    if (!a.starts_with('~')) return 1;
    if (!b.starts_with('~')) return -1;
    a.remove_prefix(1);
    b.remove_prefix(1);
    return 2;
  }
  if (a.starts_with('^') || b.starts_with('^')) {
    if (a.empty()) return -1;
    if (b.empty()) return 1;
    if (!a.starts_with('^')) return 1;
    if (!b.starts_with('^')) return -1;
    a.remove_prefix(1);
    b.remove_prefix(1);
    return 2;
  }
  return 0;
}

int compare_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    take_while(a, [](char c) { return !is_kept(c); });
    take_while(b, [](char c) { return !is_kept(c); });
    const int marks = compare_marks(a, b);
    if (marks == 2) continue;
    if (marks != 0) return marks;
    if (a.empty() || b.empty()) break;
    const bool number = is_digit(a.front());
    const auto left = number ? take_while(a, is_digit) : take_while(a, is_letter);
    const auto right = number ? take_while(b, is_digit) : take_while(b, is_letter);
    if (right.empty()) return number ? 1 : -1;
    const int order = number ? compare_numbers(left, right) : compare_text(left, right);
    if (order != 0) return order;
  }
  if (a.empty() && b.empty()) return 0;
  return a.empty() ? -1 : 1;
}

}  // namespace

int compare_rpm(std::string_view a, std::string_view b) {
  const auto take_epoch = [](std::string_view& text) {
    const auto colon = text.find(':');
    if (colon == text.npos || !is_number(text.substr(0, colon))) return std::string_view();
    const auto epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    return epoch;
  };
  const auto left_epoch = take_epoch(a), right_epoch = take_epoch(b);
  if (const int order = compare_numbers(left_epoch, right_epoch); order != 0) return order;
  const auto left = a.find('-'), right = b.find('-');
  if (const int order = compare_part(a.substr(0, left), b.substr(0, right)); order != 0) return order;
  const auto after = [](std::string_view text, std::size_t at) {
    return at == text.npos ? std::string_view() : text.substr(at + 1);
  };
  return compare_part(after(a, left), after(b, right));
}

}  // namespace sampan::scan
