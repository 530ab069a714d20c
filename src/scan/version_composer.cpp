// Packagist: composer/semver's normal form (four numbers, then the stability) over PHP's version_compare.
#include <array>
#include <vector>

#include "core/text.h"
#include "scan/version_parts.h"

namespace sampan::scan {
namespace {

struct Version {
  bool branch = false;  // "dev-main": before everything that has a number
  std::vector<std::string> numbers;
  std::vector<std::string> rest;
};

bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_' || c == '+';
}

Version read(std::string_view given) {
  Version version;
  const auto lower = core::to_lower(core::trim(given));
  std::string_view text = lower;
  if (text.size() > 1 && text[0] == 'v' && is_digit(text[1])) text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) {
    version.branch = true;
    version.rest.emplace_back(text);
    return version;
  }
  text = text.substr(0, text.find('+'));  // build metadata
  while (!text.empty() && (is_digit(text.front()) || text.front() == '.')) {
    if (text.front() == '.') text.remove_prefix(1);
    const auto number = take_while(text, is_digit);
    if (number.empty()) break;
    version.numbers.emplace_back(number);
  }
  while (!version.numbers.empty() && compare_numbers(version.numbers.back(), "0") == 0) {
    version.numbers.pop_back();
  }
  while (!text.empty()) {
    if (is_separator(text.front())) {
      text.remove_prefix(1);
    } else if (is_digit(text.front())) {
      version.rest.emplace_back(take_while(text, is_digit));
    } else {
      version.rest.emplace_back(take_while(text, [](char c) { return !is_digit(c) && !is_separator(c); }));
    }
  }
  if (version.rest.size() == 1 && version.rest[0] == "stable") version.rest.clear();
  return version;
}

constexpr int kEnd = 6;  // where a version without more stands

int place_of(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, int>, 11> kPlaces{{{"dev", 1},
                                                                             {"alpha", 2},
                                                                             {"a", 2},
                                                                             {"beta", 3},
                                                                             {"b", 3},
                                                                             {"rc", 4},
                                                                             {"c", 4},
                                                                             {"stable", kEnd},
                                                                             {"patch", 8},
                                                                             {"pl", 8},
                                                                             {"p", 8}}};
  if (is_number(word)) return 7;
  for (const auto& [name, place] : kPlaces) {
    if (name == word) return place;
  }
  return 0;
}

int compare_parts(const std::string& a, const std::string& b) {
  const int left = place_of(a), right = place_of(b);
  if (left != right) return left < right ? -1 : 1;
  if (left == 7) return compare_numbers(a, b);
  return left == 0 ? compare_text(a, b) : 0;
}

int compare_rest(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (i >= a.size()) return place_of(b[i]) < kEnd ? 1 : -1;
    if (i >= b.size()) return place_of(a[i]) < kEnd ? -1 : 1;
    if (const int order = compare_parts(a[i], b[i]); order != 0) return order;
  }
  return 0;
}

}  // namespace

int compare_composer(std::string_view a, std::string_view b) {
  const auto left = read(a), right = read(b);
  if (left.branch || right.branch) {
    if (left.branch != right.branch) return left.branch ? -1 : 1;
    return compare_text(left.rest[0], right.rest[0]);
  }
  for (std::size_t i = 0; i < left.numbers.size() && i < right.numbers.size(); ++i) {
    if (const int order = compare_numbers(left.numbers[i], right.numbers[i]); order != 0) return order;
  }
  if (left.numbers.size() != right.numbers.size()) return left.numbers.size() < right.numbers.size() ? -1 : 1;
  return compare_rest(left.rest, right.rest);
}

}  // namespace sampan::scan
