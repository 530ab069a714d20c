// Walks a text line by line without copying it. Private to the parsers.
#pragma once

#include <string_view>

namespace sampan::scan {

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  // The next line without its end ("\n" or "\r\n"); false when there is none.
  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const auto end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return true;
  }

 private:
  std::string_view rest_;
};

// `text` without quotes of one kind around it.
inline std::string_view unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back()) return text;
  if (text.front() != '"' && text.front() != '\'') return text;
  return text.substr(1, text.size() - 2);
}

}  // namespace sampan::scan
