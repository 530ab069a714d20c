#include "core/text.h"

#include <array>
#include <cstdint>

namespace shop::core {
namespace {

constexpr char32_t kBad = 0xFFFD;

// The code point at `at`, which moves behind it.
char32_t next(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 && lead < 0xF5   ? 3
                   : lead >= 0xE0 && lead < 0xF0 ? 2
                   : lead >= 0xC2 && lead < 0xE0 ? 1
                                                 : 0;
  if (more == 0 || at + static_cast<std::size_t>(more) > text.size()) return kBad;
  char32_t code = lead & (0x3F >> more);
  for (int i = 0; i < more; ++i) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0) != 0x80) return kBad;
    code = code << 6 | (byte & 0x3F);
    ++at;
  }
  const bool overlong = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
  return overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? kBad : code;
}

struct Range {
  char32_t first, last;
  char base;
};
// Latin letters with marks, as Vietnamese and its neighbours write them.
constexpr std::array kLetters{
    Range{0xC0, 0xC5, 'a'},     Range{0xC8, 0xCB, 'e'},     Range{0xCC, 0xCF, 'i'},
    Range{0xD2, 0xD6, 'o'},     Range{0xD9, 0xDC, 'u'},     Range{0xDD, 0xDD, 'y'},
    Range{0xE0, 0xE5, 'a'},     Range{0xE8, 0xEB, 'e'},     Range{0xEC, 0xEF, 'i'},
    Range{0xF2, 0xF6, 'o'},     Range{0xF9, 0xFC, 'u'},     Range{0xFD, 0xFD, 'y'},
    Range{0xFF, 0xFF, 'y'},     Range{0x102, 0x103, 'a'},   Range{0x110, 0x111, 'd'},
    Range{0x128, 0x129, 'i'},   Range{0x168, 0x169, 'u'},   Range{0x1A0, 0x1A1, 'o'},
    Range{0x1AF, 0x1B0, 'u'},   Range{0x1EA0, 0x1EB7, 'a'}, Range{0x1EB8, 0x1EC7, 'e'},
    Range{0x1EC8, 0x1ECB, 'i'}, Range{0x1ECC, 0x1EE3, 'o'}, Range{0x1EE4, 0x1EF1, 'u'},
    Range{0x1EF2, 0x1EF9, 'y'},
};

// The letter or digit without its marks; '\0' for a mark alone; ' ' for all else.
char plain(char32_t code) {
  if (code >= 'A' && code <= 'Z') return static_cast<char>(code - 'A' + 'a');
  if ((code >= 'a' && code <= 'z') || (code >= '0' && code <= '9')) return static_cast<char>(code);
  if (code >= 0x300 && code <= 0x36F) return '\0';
  for (const auto& range : kLetters) {
    if (code >= range.first && code <= range.last) return range.base;
  }
  return ' ';
}

}  // namespace

std::string fold(std::string_view utf8) {
  std::string folded;
  for (std::size_t at = 0; at < utf8.size();) {
    const char letter = plain(next(utf8, at));
    if (letter == '\0' || (letter == ' ' && (folded.empty() || folded.back() == ' '))) continue;
    folded.push_back(letter);
  }
  if (!folded.empty() && folded.back() == ' ') folded.pop_back();
  return folded;
}

std::string slug(std::string_view utf8) {
  auto text = fold(utf8);
  for (auto& letter : text) {
    if (letter == ' ') letter = '-';
  }
  return text;
}

std::vector<std::string> words(std::string_view folded) {
  std::vector<std::string> found;
  std::string word;
  for (const char letter : folded) {
    if (letter != ' ') {
      word.push_back(letter);
      continue;
    }
    if (!word.empty()) found.push_back(std::move(word));
    word.clear();
  }
  if (!word.empty()) found.push_back(std::move(word));
  return found;
}

bool valid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto start = at;
    if (next(text, at) == kBad && text.substr(start, 3) != "\xEF\xBF\xBD") return false;
  }
  return true;
}

}  // namespace shop::core
