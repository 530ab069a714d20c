#include "build/lines.h"

#include "core/text.h"

namespace sampan::build {
namespace {

constexpr std::size_t kMostHeredocs = 16;

bool is_blank(std::string_view line) {
  return core::trim(line).empty();
}

bool is_comment(std::string_view line) {
  return core::trim(line).starts_with('#');
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-';
}

struct Marker {
  std::string name;
  bool expand = true;
  bool strip_tabs = false;
};

// "<<EOF", "<<-EOF", "<<'EOF'" at `at`; moves `at` behind it.
std::optional<Marker> parse_marker(std::string_view text, std::size_t& at) {
  std::size_t i = at + 2;
  Marker marker;
  if (i < text.size() && text[i] == '-') {
    marker.strip_tabs = true;
    ++i;
  }
  char quote = 0;
  if (i < text.size() && (text[i] == '\'' || text[i] == '"')) quote = text[i++];
  while (i < text.size() && is_name_character(text[i])) marker.name.push_back(text[i++]);
  if (quote != 0) {
    if (i >= text.size() || text[i] != quote) return std::nullopt;
    ++i;
    marker.expand = false;
  }
  if (marker.name.empty()) return std::nullopt;
  at = i;
  return marker;
}

// Heredocs that open on a line, in order; those inside quotes are text.
std::vector<Marker> find_markers(std::string_view text, char escape) {
  std::vector<Marker> markers;
  char quote = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (quote != '\'' && c == escape && i + 1 < text.size()) {
      i += 2;
      continue;
    }
    if (quote == 0 && text.substr(i).starts_with("<<<")) {
      i += 3;  // a here-string of the shell
      continue;
    }
    if (quote == 0 && text.substr(i).starts_with("<<")) {
      const auto marker = parse_marker(text, i);
      if (marker) {
        markers.push_back(*marker);
        continue;
      }
      i += 2;
      continue;
    }
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
    ++i;
  }
  return markers;
}

bool takes_heredocs(std::string_view line) {
  const std::string_view trimmed = core::trim(line);
  const auto keyword = keyword_of(trimmed.substr(0, trimmed.find_first_of(" \t")));
  return keyword == Keyword::kRun || keyword == Keyword::kCopy || keyword == Keyword::kAdd;
}

class Splitter {
 public:
  Splitter(std::string_view text, std::string file) : file_(std::move(file)) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
    lines_ = core::split(text, '\n');
    for (std::string& line : lines_) {
      if (line.ends_with('\r')) line.pop_back();
    }
    if (!lines_.empty() && lines_.back().empty()) lines_.pop_back();
  }

  LogicalLines run() {
    directives();
    while (next_ < lines_.size()) {
      if (is_blank(lines_[next_]) || is_comment(lines_[next_])) {
        ++next_;
        continue;
      }
      take_logical();
    }
    return std::move(result_);
  }

 private:
  // "# name=value" lines at the very top; the first line that is none ends them.
  void directives() {
    for (; next_ < lines_.size(); ++next_) {
      std::string_view line = core::trim(lines_[next_]);
      if (!line.starts_with('#')) return;
      line = core::trim(line.substr(1));
      const std::size_t equals = line.find('=');
      if (equals == std::string_view::npos) return;
      const std::string name = core::to_lower(core::trim(line.substr(0, equals)));
      if (name.empty() || name.find_first_of(" \t") != std::string::npos) return;
      if (name == "escape") set_escape(core::trim(line.substr(equals + 1)));
    }
  }

  void set_escape(std::string_view value) {
    if (value != "\\" && value != "`") {
      throw BuildError({file_, static_cast<int>(next_) + 1, "# escape"}, "must be \\ or `");
    }
    result_.escape = value[0];
  }

  // Whether the line goes on; if so the escape character is taken off.
  bool continues(std::string& line) const {
    const std::size_t last = line.find_last_not_of(" \t");
    if (last == std::string::npos || line[last] != result_.escape) return false;
    line.erase(last);
    return true;
  }

  void take_logical() {
    LogicalLine logical;
    logical.number = static_cast<int>(next_) + 1;
    bool more = true;
    while (more && next_ < lines_.size()) {
      std::string line = lines_[next_++];
      const bool first = logical.text.empty();
      if (!first && (is_comment(line) || is_blank(line))) continue;
      more = continues(line);
      logical.text += line;
    }
    logical.text = std::string(core::trim(logical.text));
    if (takes_heredocs(logical.text)) take_heredocs(logical);
    if (!logical.text.empty()) result_.lines.push_back(std::move(logical));
  }

  void take_heredocs(LogicalLine& logical) {
    const auto markers = find_markers(logical.text, result_.escape);
    if (markers.size() > kMostHeredocs) throw error(logical, "more than 16 heredocs");
    for (const Marker& marker : markers) {
      Heredoc heredoc{marker.name, "", marker.expand};
      bool ended = false;
      while (next_ < lines_.size() && !ended) {
        std::string_view line = lines_[next_++];
        while (marker.strip_tabs && line.starts_with('\t')) line.remove_prefix(1);
        ended = line == marker.name;
        if (!ended) heredoc.body.append(line).push_back('\n');
      }
      if (!ended) throw error(logical, "heredoc " + marker.name + " is not ended");
      logical.heredocs.push_back(std::move(heredoc));
    }
  }

  BuildError error(const LogicalLine& logical, std::string_view why) const {
    const std::string word = logical.text.substr(0, logical.text.find_first_of(" \t"));
    return BuildError({file_, logical.number, word}, why);
  }

  std::string file_;
  std::vector<std::string> lines_;
  std::size_t next_ = 0;
  LogicalLines result_;
};

}  // namespace

LogicalLines split_lines(std::string_view text, const std::string& file_name) {
  return Splitter(text, file_name).run();
}

}  // namespace sampan::build
