#include "logs/json_pattern.h"

#include <boost/json/parse.hpp>

#include "core/text.h"
#include "logs/json_pattern_parser.h"

namespace sampan::logs {
namespace {

namespace json = boost::json;

const json::value* walk(const json::value& message, const std::vector<JsonStep>& path) {
  const json::value* at = &message;
  for (const auto& step : path) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      const auto* object = at->if_object();
      at = object ? object->if_contains(*name) : nullptr;
    } else {
      const auto* array = at->if_array();
      at = array ? array->if_contains(std::get<std::size_t>(step)) : nullptr;
    }
    if (!at) return nullptr;
  }
  return at;
}

bool equal_to(const json::value& found, const std::variant<std::string, double>& wanted) {
  if (const auto* number = std::get_if<double>(&wanted)) {
    return found.is_number() && found.to_number<double>() == *number;
  }
  const auto& text = std::get<std::string>(wanted);
  if (const auto* string = found.if_string()) return core::wildcard_match(text, *string);
  return false;
}

bool compare_numbers(JsonTest test, double found, double wanted) {
  switch (test) {
    case JsonTest::kLess:
      return found < wanted;
    case JsonTest::kLessEqual:
      return found <= wanted;
    case JsonTest::kGreater:
      return found > wanted;
    default:
      return found >= wanted;
  }
}

}  // namespace

bool JsonCondition::holds(const json::value& message) const {
  const json::value* found = walk(message, path);
  if (test == JsonTest::kAbsent) return !found;
  if (!found) return false;
  switch (test) {
    case JsonTest::kNull:
      return found->is_null();
    case JsonTest::kTrue:
      return found->is_bool() && found->get_bool();
    case JsonTest::kFalse:
      return found->is_bool() && !found->get_bool();
    case JsonTest::kEqual:
      return equal_to(*found, value);
    case JsonTest::kNotEqual:
      return !equal_to(*found, value);
    default:
      return found->is_number() && compare_numbers(test, found->to_number<double>(), std::get<double>(value));
  }
}

bool JsonTerm::holds(const json::value& message) const {
  auto holds_it = [&](const JsonTerm& term) { return term.holds(message); };
  switch (kind) {
    case Kind::kCondition:
      return condition.holds(message);
    case Kind::kAnd:
      return std::ranges::all_of(terms, holds_it);
    case Kind::kOr:
      return std::ranges::any_of(terms, holds_it);
  }
  return false;
}

JsonPattern::JsonPattern(std::string_view pattern) : root_(parse_json_pattern(pattern)) {}

bool JsonPattern::matches(std::string_view message) const {
  message = core::trim(message);
  if (!message.starts_with('{')) return false;
  boost::system::error_code error;
  const auto parsed = json::parse(json::string_view(message.data(), message.size()), error);
  return !error && root_.holds(parsed);
}

}  // namespace sampan::logs
