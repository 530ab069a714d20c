// PEP 440: [v][N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local], in any of its spellings.
#include <optional>
#include <vector>

#include "core/text.h"
#include "scan/version_parts.h"

namespace sampan::scan {
namespace {

// A part that may be absent, where absence has a place of its own in the order.
struct Key {
  int place = 0;
  std::string number;
};

struct Version {
  std::string epoch;
  std::vector<std::string> release;  // without zeros at the end
  Key pre, post, dev;
  std::vector<std::string> local;
  bool has_local = false;
};

bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_';
}

// One of `words` at the front, a separator before and after it allowed; takes it and its number.
std::optional<std::string> take_word(std::string_view& rest, std::initializer_list<std::string_view> words) {
  auto at = rest;
  if (!at.empty() && is_separator(at.front())) at.remove_prefix(1);
  for (const auto word : words) {
    if (!at.starts_with(word)) continue;
    at.remove_prefix(word.size());
    if (at.size() > 1 && is_separator(at[0]) && is_digit(at[1])) at.remove_prefix(1);
    auto number = std::string(take_while(at, is_digit));
    rest = at;
    return number.empty() ? "0" : number;
  }
  return std::nullopt;
}

void take_pre(std::string_view& rest, Version& version) {
  if (auto number = take_word(rest, {"alpha", "a"})) {
    version.pre = {1, *number};
  } else if (auto beta = take_word(rest, {"beta", "b"})) {
    version.pre = {2, *beta};
  } else if (auto candidate = take_word(rest, {"rc", "c", "preview", "pre"})) {
    version.pre = {3, *candidate};
  }
}

void take_post(std::string_view& rest, Version& version) {
  if (rest.size() > 1 && rest[0] == '-' && is_digit(rest[1])) {  // 1.0-1
    rest.remove_prefix(1);
    version.post = {1, std::string(take_while(rest, is_digit))};
  } else if (auto number = take_word(rest, {"post", "rev", "r"})) {
    version.post = {1, *number};
  }
}

bool take_local(std::string_view& rest, Version& version) {
  if (!rest.starts_with('+')) return true;
  rest.remove_prefix(1);
  version.has_local = true;
  while (true) {
    const auto part = take_while(rest, [](char c) { return is_digit(c) || is_letter(c); });
    if (part.empty()) return false;
    version.local.emplace_back(part);
    if (rest.empty() || !is_separator(rest.front())) return true;
    rest.remove_prefix(1);
  }
}

std::optional<Version> read(std::string_view given) {
  const auto lower = core::to_lower(core::trim(given));
  std::string_view rest = lower;
  if (rest.starts_with('v')) rest.remove_prefix(1);
  Version version;
  if (const auto bang = rest.find('!'); bang != rest.npos && is_number(rest.substr(0, bang))) {
    version.epoch = rest.substr(0, bang);
    rest.remove_prefix(bang + 1);
  }
  do {
    const auto number = take_while(rest, is_digit);
    if (number.empty()) return std::nullopt;
    version.release.emplace_back(number);
    if (rest.size() < 2 || rest[0] != '.' || !is_digit(rest[1])) break;
    rest.remove_prefix(1);
  } while (true);
  while (!version.release.empty() && compare_numbers(version.release.back(), "0") == 0) {
    version.release.pop_back();
  }
  take_pre(rest, version);
  take_post(rest, version);
  version.dev.place = 1;  // none: after every development release
  if (auto number = take_word(rest, {"dev"})) version.dev = {0, *number};
  if (!take_local(rest, version) || !rest.empty()) return std::nullopt;
  // A development release of the release itself comes before its alphas; a release after its candidates.
  if (version.pre.place == 0) version.pre.place = version.post.place == 0 && version.dev.place == 0 ? 0 : 4;
  return version;
}

int compare_keys(const Key& a, const Key& b) {
  if (a.place != b.place) return a.place < b.place ? -1 : 1;
  return compare_numbers(a.number, b.number);
}

int compare_local(const Version& a, const Version& b) {
  if (a.has_local != b.has_local) return a.has_local ? 1 : -1;
  for (std::size_t i = 0; i < a.local.size() && i < b.local.size(); ++i) {
    const bool left = is_number(a.local[i]), right = is_number(b.local[i]);
    if (left != right) return left ? 1 : -1;
    const int order = left ? compare_numbers(a.local[i], b.local[i]) : compare_text(a.local[i], b.local[i]);
    if (order != 0) return order;
  }
  return (a.local.size() > b.local.size()) - (a.local.size() < b.local.size());
}

int compare_release(const Version& a, const Version& b) {
  for (std::size_t i = 0; i < a.release.size() && i < b.release.size(); ++i) {
    if (const int order = compare_numbers(a.release[i], b.release[i]); order != 0) return order;
  }
  return (a.release.size() > b.release.size()) - (a.release.size() < b.release.size());
}

}  // namespace

int compare_pep440(std::string_view a, std::string_view b) {
  const auto left = read(a), right = read(b);
  if (!left || !right) {
    if (left || right) return left ? 1 : -1;
    return compare_text(a, b);
  }
  if (const int order = compare_numbers(left->epoch, right->epoch); order != 0) return order;
  if (const int order = compare_release(*left, *right); order != 0) return order;
  if (const int order = compare_keys(left->pre, right->pre); order != 0) return order;
  if (const int order = compare_keys(left->post, right->post); order != 0) return order;
  if (const int order = compare_keys(left->dev, right->dev); order != 0) return order;
  return compare_local(*left, *right);
}

}  // namespace sampan::scan
