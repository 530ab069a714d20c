// Careless reading of JSON that somebody else wrote: what is absent or of another type is just not there.
// Private to the parsers.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "core/error.h"

namespace sampan::scan {

// Throws core::Error when the text is no JSON, or deeper than 64 levels.
inline boost::json::value parse_json(std::string_view text, boost::json::storage_ptr memory = {}) {
  boost::json::parse_options options;
  options.max_depth = 64;
  boost::json::error_code error;
  auto value = boost::json::parse(text, error, std::move(memory), options);
  if (error) throw core::Error("read JSON", error.message());
  return value;
}

inline const boost::json::object* object_in(const boost::json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* found = object ? object->if_contains(name) : nullptr;
  return found ? found->if_object() : nullptr;
}

inline const boost::json::array* array_in(const boost::json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found ? found->if_array() : nullptr;
}

inline std::string_view text_in(const boost::json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

inline bool flag_in(const boost::json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  const auto* flag = found ? found->if_bool() : nullptr;
  return flag && *flag;
}

}  // namespace sampan::scan
