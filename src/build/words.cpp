#include "build/words.h"

#include <cctype>

#include "core/text.h"

namespace sampan::build {
namespace {

constexpr int kDeepest = 16;  // ${a:-${b:-…}}

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

class Expander {
 public:
  Expander(std::string_view text, const Variables& variables, char escape, bool quotes, int depth = 0)
      : text_(text), variables_(variables), escape_(escape), quotes_(quotes), depth_(depth) {}

  std::string run() {
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (quotes_ && c == '\'') return single_quoted();
    if (quotes_ && c == '"') return double_quoted();
    if (c == '$') return variable();
    if (c == escape_) return escaped();
    out_.push_back(c);
    ++at_;
  }

  void escaped() {
    if (at_ + 1 >= text_.size()) {
      out_.push_back(text_[at_++]);
      return;
    }
    // In a heredoc only a variable can be escaped.
    if (!quotes_ && text_[at_ + 1] != '$' && text_[at_ + 1] != escape_) out_.push_back(text_[at_]);
    out_.push_back(text_[at_ + 1]);
    at_ += 2;
  }

  void single_quoted() {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos)
      throw WordError("unexpected end of statement while looking for matching single-quote");
    out_.append(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
  }

  void double_quoted() {
    for (++at_; at_ < text_.size() && text_[at_] != '"';) {
      const char c = text_[at_];
      if (c == '$') {
        variable();
        continue;
      }
      const bool escapes = c == escape_ && at_ + 1 < text_.size() &&
                           (text_[at_ + 1] == '"' || text_[at_ + 1] == '$' || text_[at_ + 1] == escape_);
      if (escapes) ++at_;
      out_.push_back(text_[at_++]);
    }
    if (at_ >= text_.size())
      throw WordError("unexpected end of statement while looking for matching double-quote");
    ++at_;
  }

  std::string name() {
    const std::size_t start = at_;
    // $1 and the like are one character long, as in a shell.
    if (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])))
      return std::string(1, text_[at_++]);
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  void variable() {
    ++at_;  // '$'
    if (at_ < text_.size() && text_[at_] == '{') return braced();
    const std::string which = name();
    if (which.empty()) {
      out_.push_back('$');
      return;
    }
    out_ += variables_(which).value_or("");
  }

  void braced() {
    ++at_;  // '{'
    const std::string which = name();
    if (which.empty()) throw WordError("bad substitution");
    if (at_ >= text_.size()) throw WordError("syntax error: missing '}'");
    if (text_[at_] == '}') {
      ++at_;
      out_ += variables_(which).value_or("");
      return;
    }
    const bool empty_counts_as_unset = text_[at_] == ':';
    if (empty_counts_as_unset) ++at_;
    const char operation = at_ < text_.size() ? text_[at_++] : '\0';
    const std::string word = operand();
    const auto value = variables_(which);
    const bool is_set = value && !(empty_counts_as_unset && value->empty());
    switch (operation) {
      case '-':
        out_ += is_set ? *value : word;
        return;
      case '+':
        out_ += is_set ? word : "";
        return;
      case '?':
        if (!is_set) throw WordError(which + ": " + (word.empty() ? "is not set" : word));
        out_ += *value;
        return;
      default:
        throw WordError("unsupported modifier in ${" + which + "…}");
    }
  }

  // The word up to the closing brace, expanded; braces of variables inside it are its own.
  std::string operand() {
    const std::size_t start = at_;
    int open = 1;
    while (at_ < text_.size()) {
      if (text_[at_] == escape_ && at_ + 1 < text_.size()) {
        at_ += 2;
        continue;
      }
      if (text_[at_] == '{') ++open;
      if (text_[at_] == '}' && --open == 0) break;
      ++at_;
    }
    if (at_ >= text_.size()) throw WordError("syntax error: missing '}'");
    if (depth_ >= kDeepest) throw WordError("substitutions nested too deeply");
    const std::string_view inner = text_.substr(start, at_ - start);
    ++at_;
    return Expander(inner, variables_, escape_, quotes_, depth_ + 1).run();
  }

  std::string_view text_;
  const Variables& variables_;
  char escape_;
  bool quotes_;
  int depth_;
  std::size_t at_ = 0;
  std::string out_;
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

}  // namespace

std::string expand_word(std::string_view text, const Variables& variables, char escape) {
  return Expander(text, variables, escape, true).run();
}

std::string expand_body(std::string_view text, const Variables& variables, char escape) {
  return Expander(text, variables, escape, false).run();
}

std::vector<std::string> split_words(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && is_space(c)) {
      if (inside) words.push_back(std::exchange(word, ""));
      inside = false;
      continue;
    }
    inside = true;
    word.push_back(c);
    if (quote != '\'' && c == escape && i + 1 < text.size()) {
      word.push_back(text[++i]);
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
  }
  if (inside) words.push_back(std::move(word));
  return words;
}

std::vector<std::string> expand_words(std::string_view text, const Variables& variables, char escape) {
  std::vector<std::string> words;
  for (const std::string& word : split_words(text, escape)) {
    std::string expanded = expand_word(word, variables, escape);
    if (!expanded.empty()) words.push_back(std::move(expanded));
  }
  return words;
}

std::vector<std::pair<std::string, std::string>> expand_pairs(std::string_view text,
                                                              const Variables& variables, char escape) {
  const auto words = split_words(text, escape);
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!words.empty() && words[0].find('=') == std::string::npos) {
    if (words.size() < 2) throw WordError("must have two arguments: a name and a value");
    const std::string_view value = core::trim(text.substr(text.find(words[0]) + words[0].size()));
    pairs.emplace_back(expand_word(words[0], variables, escape), expand_word(value, variables, escape));
    return pairs;
  }
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) throw WordError("syntax error: can't find = in \"" + word + "\"");
    std::string name = expand_word(word.substr(0, equals), variables, escape);
    if (name.empty()) throw WordError("names can not be blank");
    pairs.emplace_back(std::move(name), expand_word(word.substr(equals + 1), variables, escape));
  }
  return pairs;
}

}  // namespace sampan::build
