// A form body (or a URL's query), decoded and sorted by key, so that everything under "Tags.member." is one
// range.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sampan::aws {

class FormError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Form {
 public:
  using Pair = std::pair<std::string, std::string>;
  static constexpr std::size_t kMaxPairs = 20000;
  static constexpr std::size_t kMaxKey = 1024;

  // Throws FormError: a broken %XX, text that is not UTF-8, too many pairs, too long a key.
  static Form parse(std::string_view body);

  // The value of `key`, or nullptr. Of equal keys one counts, always the same.
  const std::string* find(std::string_view key) const;
  // Pairs whose key begins with `prefix`.
  std::span<const Pair> under(std::string_view prefix) const;
  bool empty() const { return pairs_.empty(); }

 private:
  std::vector<Pair> pairs_;
};

bool is_valid_utf8(std::string_view text);

}  // namespace sampan::aws
