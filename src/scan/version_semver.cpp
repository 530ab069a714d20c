// semver.org 2.0.0, section 11; a "v" in front, missing parts (zero) and more than three are taken as well.
#include <optional>
#include <vector>

#include "scan/version_parts.h"

namespace sampan::scan {
namespace {

struct SemVer {
  std::vector<std::string_view> numbers;  // without zeros at the end
  std::vector<std::string_view> pre_release;
};

std::vector<std::string_view> split_dots(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto dot = text.find('.');
    parts.push_back(text.substr(0, dot));
    if (dot == text.npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

std::optional<SemVer> read(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  text = text.substr(0, text.find('+'));
  const auto hyphen = text.find('-');
  SemVer version;
  version.numbers = split_dots(text.substr(0, hyphen));
  for (const auto& number : version.numbers) {
    if (!is_number(number)) return std::nullopt;
  }
  while (!version.numbers.empty() && compare_numbers(version.numbers.back(), "0") == 0) {
    version.numbers.pop_back();
  }
  if (hyphen != text.npos) version.pre_release = split_dots(text.substr(hyphen + 1));
  return version;
}

int compare_identifiers(std::string_view a, std::string_view b) {
  const bool left = is_number(a), right = is_number(b);
  if (left && right) return compare_numbers(a, b);
  if (left != right) return left ? -1 : 1;
  return compare_text(a, b);
}

int compare_lengths(std::size_t a, std::size_t b) {
  return (a > b) - (a < b);
}

}  // namespace

int compare_semver(std::string_view a, std::string_view b) {
  const auto left = read(a), right = read(b);
  if (!left || !right) {
    if (left || right) return left ? 1 : -1;
    return compare_text(a, b);
  }
  for (std::size_t i = 0; i < left->numbers.size() && i < right->numbers.size(); ++i) {
    if (const int order = compare_numbers(left->numbers[i], right->numbers[i]); order != 0) return order;
  }
  if (const int order = compare_lengths(left->numbers.size(), right->numbers.size()); order != 0)
    return order;
  const auto& pre = left->pre_release;
  const auto& other = right->pre_release;
  if (pre.empty() != other.empty()) return pre.empty() ? 1 : -1;
  for (std::size_t i = 0; i < pre.size() && i < other.size(); ++i) {
    if (const int order = compare_identifiers(pre[i], other[i]); order != 0) return order;
  }
  return compare_lengths(pre.size(), other.size());
}

}  // namespace sampan::scan
