// The JSON form of filter patterns: { $.a.b[0] = "x*" && ($.n > 3 || $.gone NOT EXISTS) }. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sampan::logs {

class InvalidPattern : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using JsonStep = std::variant<std::string, std::size_t>;  // a member's name, an element's index

enum class JsonTest {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kNull,
  kTrue,
  kFalse,
  kAbsent
};

struct JsonCondition {
  std::vector<JsonStep> path;
  JsonTest test = JsonTest::kEqual;
  std::variant<std::string, double> value;  // a text may hold '*'

  bool holds(const boost::json::value& message) const;
};

struct JsonTerm {
  enum class Kind { kCondition, kAnd, kOr } kind = Kind::kCondition;
  JsonCondition condition;
  std::vector<JsonTerm> terms;

  bool holds(const boost::json::value& message) const;
};

class JsonPattern {
 public:
  // Throws InvalidPattern.
  explicit JsonPattern(std::string_view pattern);
  bool matches(std::string_view message) const;

 private:
  JsonTerm root_;
};

}  // namespace sampan::logs
