// The Condition element of a policy's statement: operators, keys and what they say of a request. Pure.
//
// An operator holds when the key's value in the request matches one of the policy's values; a negated one
// when it matches none, and a key that the request has not counts as matching none. With ...IfExists an
// absent key satisfies either. ForAnyValue and ForAllValues are for keys of several values.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "iam/policy_pattern.h"

namespace sampan::iam {

// What is known of a request, by condition keys ("aws:SourceIp"), whose letters' case does not count.
class Context {
 public:
  void set(std::string_view key, std::string value);
  void set(std::string_view key, std::vector<std::string> values);
  // Nothing when the request has no such key.
  const std::vector<std::string>* find(std::string_view key) const;
  // A variable's text: of a key that has exactly one value.
  std::optional<std::string> text(std::string_view key) const;

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> values_;
};

struct ConditionOperator {
  enum class Test {
    kString,
    kStringIgnoringCase,
    kStringLike,
    kNumber,
    kDate,
    kBool,
    kBinary,
    kIp,
    kArn,
    kNull
  };
  enum class Compare { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  enum class Set { kOne, kAnyValue, kAllValues };

  Test test = Test::kString;
  Compare compare = Compare::kEqual;
  bool negated = false;
  bool if_exists = false;
  Set set = Set::kOne;

  // "StringLike", "ForAnyValue:StringEqualsIfExists"; nothing when there is none of that name.
  static std::optional<ConditionOperator> parse(std::string_view name);
};

struct Condition {
  ConditionOperator op;
  std::string key;                  // "aws:SourceIp"
  std::vector<std::string> values;  // may hold variables
};

bool holds(const Condition& condition, const Context& context, Variables variables);

}  // namespace sampan::iam
