// CloudWatch's filter patterns. Pure.
//
//   ""                      everything
//   ERROR "disk full"       all of the terms, case-sensitively
//   ?ERROR ?WARN            any of them (where a plain term stands too, those with ? do not count, as at AWS)
//   ERROR -healthcheck      without it
//   { $.status >= 500 && $.path = "/api/*" }     fields of a JSON message
//
// Regular expressions (%…%) and space-delimited patterns ([a, b]) are refused.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "logs/json_pattern.h"

namespace sampan::logs {

class FilterPattern {
 public:
  // Throws InvalidPattern.
  explicit FilterPattern(std::string_view pattern);

  bool matches(std::string_view message) const;
  bool matches_all() const;

 private:
  void add_terms(std::string_view pattern);

  std::vector<std::string> all_;
  std::vector<std::string> any_;
  std::vector<std::string> none_;
  std::shared_ptr<const JsonPattern> json_;
};

}  // namespace sampan::logs
