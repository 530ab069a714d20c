// What the orders of versions are made of. Private to them.
#pragma once

#include <string>
#include <string_view>

namespace sampan::scan {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline int sign(int value) {
  return (value > 0) - (value < 0);
}
inline int compare_text(std::string_view a, std::string_view b) {
  return sign(a.compare(b));
}

// Two runs of digits as numbers, however long.
inline int compare_numbers(std::string_view a, std::string_view b) {
  while (!a.empty() && a.front() == '0') a.remove_prefix(1);
  while (!b.empty() && b.front() == '0') b.remove_prefix(1);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return compare_text(a, b);
}

inline bool is_number(std::string_view text) {
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return !text.empty();
}

// Takes the run of characters at the front of `text` that `pred` likes.
template <class Pred>
std::string_view take_while(std::string_view& text, Pred pred) {
  std::size_t end = 0;
  while (end < text.size() && pred(text[end])) ++end;
  const auto taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}

int compare_dpkg(std::string_view a, std::string_view b);
int compare_apk(std::string_view a, std::string_view b);
int compare_rpm(std::string_view a, std::string_view b);
int compare_semver(std::string_view a, std::string_view b);
int compare_pep440(std::string_view a, std::string_view b);
int compare_gem(std::string_view a, std::string_view b);
int compare_maven(std::string_view a, std::string_view b);
int compare_composer(std::string_view a, std::string_view b);

}  // namespace sampan::scan
