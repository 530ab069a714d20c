#include "image/json_fields.h"

#include <fmt/core.h>

namespace sampan::image {
namespace json = boost::json;

const json::value* JsonFields::find(std::string_view name) const {
  const auto* value = object_.if_contains(name);
  return value && !value->is_null() ? value : nullptr;
}

void JsonFields::fail(std::string_view why) const {
  throw BadDocument(fmt::format("read {}", where_), why);
}

void JsonFields::wrong_type(std::string_view name, std::string_view wanted) const {
  fail(fmt::format("'{}' is not {}", name, wanted));
}

std::string JsonFields::text(std::string_view name) const {
  const auto* value = find(name);
  if (!value) return {};
  if (!value->is_string()) wrong_type(name, "a string");
  return std::string(value->get_string());
}

std::optional<std::int64_t> JsonFields::integer(std::string_view name) const {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  boost::system::error_code inexact;
  const auto number = value->to_number<std::int64_t>(inexact);
  if (inexact) wrong_type(name, "a whole number");
  return number;
}

bool JsonFields::flag(std::string_view name) const {
  const auto* value = find(name);
  if (!value) return false;
  if (!value->is_bool()) wrong_type(name, "true or false");
  return value->get_bool();
}

std::vector<std::string> JsonFields::texts(std::string_view name) const {
  std::vector<std::string> found;
  const auto* value = find(name);
  if (!value) return found;
  if (!value->is_array()) wrong_type(name, "a list");
  for (const auto& item : value->get_array()) {
    if (!item.is_string()) wrong_type(name, "a list of strings");
    found.emplace_back(item.get_string());
  }
  return found;
}

std::map<std::string, std::string> JsonFields::text_map(std::string_view name) const {
  std::map<std::string, std::string> found;
  const auto* value = find(name);
  if (!value) return found;
  if (!value->is_object()) wrong_type(name, "an object");
  for (const auto& [key, item] : value->get_object()) {
    if (!item.is_string()) wrong_type(name, "an object of strings");
    found.emplace(key, item.get_string());
  }
  return found;
}

std::vector<std::string> JsonFields::keys(std::string_view name) const {
  std::vector<std::string> found;
  const auto* value = find(name);
  if (!value) return found;
  if (!value->is_object()) wrong_type(name, "an object");
  for (const auto& item : value->get_object()) found.emplace_back(item.key());
  return found;
}

std::optional<JsonFields> JsonFields::object(std::string_view name) const {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_object()) wrong_type(name, "an object");
  return JsonFields(value->get_object(), fmt::format("{} {}", where_, name));
}

std::vector<JsonFields> JsonFields::objects(std::string_view name, std::size_t limit) const {
  std::vector<JsonFields> found;
  const auto* value = find(name);
  if (!value) return found;
  if (!value->is_array()) wrong_type(name, "a list");
  const auto& items = value->get_array();
  if (items.size() > limit) fail(fmt::format("'{}' has {} items, more than {}", name, items.size(), limit));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_object()) wrong_type(name, "a list of objects");
    found.emplace_back(items[i].get_object(), fmt::format("{} {}[{}]", where_, name, i));
  }
  return found;
}

json::value parse_json_object(std::string_view text, std::size_t limit, std::string_view what) {
  const auto tried = fmt::format("read {}", what);
  if (text.size() > limit) {
    throw BadDocument(tried, fmt::format("it has {} bytes, more than the {} allowed", text.size(), limit));
  }
  boost::system::error_code bad;
  json::parse_options options;
  options.max_depth = 32;
  auto value = json::parse(text, bad, {}, options);
  if (bad) throw BadDocument(tried, fmt::format("it is not JSON ({})", bad.message()));
  if (!value.is_object()) throw BadDocument(tried, "it is not a JSON object");
  return value;
}

}  // namespace sampan::image
