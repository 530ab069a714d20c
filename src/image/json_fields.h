// Reads members of a JSON object strictly: what is absent or null is absent, what has another type is an
// error that names the member. For manifests, configurations and registries' answers, all of them untrusted.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace sampan::image {

// The text is no document of its kind: its sender's fault.
class BadDocument : public core::Error {
 public:
  using core::Error::Error;
};

class JsonFields {
 public:
  // `object` must outlive this; `where` opens each message ("manifest", "manifest layers[3]").
  JsonFields(const boost::json::object& object, std::string where)
      : object_(object), where_(std::move(where)) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::string text(std::string_view name) const;  // "" when absent
  std::optional<std::int64_t> integer(std::string_view name) const;
  bool flag(std::string_view name) const;  // false when absent
  std::vector<std::string> texts(std::string_view name) const;
  std::map<std::string, std::string> text_map(std::string_view name) const;
  std::vector<std::string> keys(std::string_view name) const;  // of an object used as a set
  std::optional<JsonFields> object(std::string_view name) const;
  // The objects in an array of at most `limit`.
  std::vector<JsonFields> objects(std::string_view name, std::size_t limit) const;
  const std::string& where() const { return where_; }
  [[noreturn]] void fail(std::string_view why) const;

 private:
  const boost::json::value* find(std::string_view name) const;
  [[noreturn]] void wrong_type(std::string_view name, std::string_view wanted) const;

  const boost::json::object& object_;
  std::string where_;
};

// Parses an object of at most `limit` bytes and 32 levels; throws BadDocument, opening with `what`.
boost::json::value parse_json_object(std::string_view text, std::size_t limit, std::string_view what);

}  // namespace sampan::image
