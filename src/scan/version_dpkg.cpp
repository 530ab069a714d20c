// deb-version(7): [epoch:]upstream[-revision]; runs of other characters and of digits by turns, '~' before
// the end of the text, letters before everything else.
#include "scan/version_parts.h"

namespace sampan::scan {
namespace {

int rank(std::string_view text) {
  if (text.empty() || is_digit(text.front())) return 0;
  const char c = text.front();
  if (c == '~') return -1;
  if (is_letter(c)) return static_cast<unsigned char>(c);
  return static_cast<unsigned char>(c) + 256;
}

int compare_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
      if (const int difference = rank(a) - rank(b); difference != 0) return sign(difference);
      if (!a.empty()) a.remove_prefix(1);
      if (!b.empty()) b.remove_prefix(1);
    }
    if (const int order = compare_numbers(take_while(a, is_digit), take_while(b, is_digit)); order != 0) {
      return order;
    }
  }
  return 0;
}

struct Parts {
  std::string_view epoch, upstream, revision;
};

Parts split(std::string_view text) {
  Parts parts;
  if (const auto colon = text.find(':'); colon != text.npos && is_number(text.substr(0, colon))) {
    parts.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const auto hyphen = text.rfind('-');
  parts.upstream = text.substr(0, hyphen);
  if (hyphen != text.npos) parts.revision = text.substr(hyphen + 1);
  return parts;
}

}  // namespace

int compare_dpkg(std::string_view a, std::string_view b) {
  const auto left = split(a), right = split(b);
  if (const int order = compare_numbers(left.epoch, right.epoch); order != 0) return order;
  if (const int order = compare_part(left.upstream, right.upstream); order != 0) return order;
  return compare_part(left.revision, right.revision);
}

}  // namespace sampan::scan
