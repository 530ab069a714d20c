#include "aws/json_codec.h"

#include <fmt/format.h>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <limits>

#include "aws/time_text.h"
#include "aws/violations.h"
#include "core/encoding.h"

namespace sampan::aws {
namespace json = boost::json;
namespace {

template <class T>
const T& as(const void* value) {
  return *static_cast<const T*>(value);
}

// ---- writing text
// --------------------------------------------------------------------------------------------

void write_string(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t clean = 0;  // from here on nothing was copied yet
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, clean, i - clean);
    clean = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, clean, text.size() - clean);
  out += '"';
}

template <class T>
void write_number(T number, std::string& out) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

template <class T>
void write_floating(T number, std::string& out) {
  if (!std::isfinite(number)) {
    out += std::isnan(number) ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  const auto start = out.size();
  write_number(number, out);
  // AWS writes 1.0, and a reader may tell integers from floating numbers by it.
  if (out.find_first_of(".en", start) == std::string::npos) out += ".0";
}

void write_list(const Shape& shape, const void* value, std::string& out) {
  out += '[';
  const auto size = shape.list->size(value);
  for (std::size_t i = 0; i < size; ++i) {
    if (i) out += ',';
    encode_json(*shape.element, shape.list->at(value, i), out);
  }
  out += ']';
}

void write_map(const Shape& shape, const void* value, std::string& out) {
  struct Context {
    const Shape& shape;
    std::string& out;
    bool first = true;
  } context{shape, out};
  out += '{';
  shape.map->visit(value, &context, [](void* opaque, const std::string& key, const void* item) {
    auto& self = *static_cast<Context*>(opaque);
    if (!self.first) self.out += ',';
    self.first = false;
    write_string(key, self.out);
    self.out += ':';
    encode_json(*self.shape.element, item, self.out);
  });
  out += '}';
}

void write_structure(const Shape& shape, const void* value, std::string& out) {
  out += '{';
  bool first = true;
  for (const auto& member : shape.members) {
    const void* inner = get(member, value);
    if (!inner) continue;
    if (!first) out += ',';
    first = false;
    out += '"';
    out += member.wire;  // names of the model need no escapes
    out += "\":";
    encode_json(*member.shape, inner, out);
  }
  out += '}';
}

// ---- reading
// -------------------------------------------------------------------------------------------------

std::string_view token_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "NULL_VALUE";
    case json::kind::bool_:
      return value.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE";
    case json::kind::string:
      return "STRING_VALUE";
    case json::kind::array:
      return "START_ARRAY";
    case json::kind::object:
      return "START_OBJECT";
    default:
      return "NUMBER_VALUE";
  }
}

[[noreturn]] void wrong_type(const json::value& value, std::string_view wanted) {
  if (value.is_array()) throw SerializationError("Start of list found where not expected");
  if (value.is_object()) throw SerializationError("Start of structure or map found where not expected.");
  throw SerializationError(fmt::format("{} can not be converted to {}", token_name(value), wanted));
}

class Decoder {
 public:
  explicit Decoder(Violations* violations) : violations_(violations) {}

  void read(const Shape& shape, const json::value& value, void* out) {
    switch (shape.kind) {
      case Kind::kBoolean:
        if (!value.is_bool()) wrong_type(value, "a Boolean");
        *static_cast<bool*>(out) = value.get_bool();
        return;
      case Kind::kInteger:
        return read_integer<int>(shape, value, out, "an Integer");
      case Kind::kLong:
        return read_integer<std::int64_t>(shape, value, out, "a Long");
      case Kind::kFloat:
        *static_cast<float*>(out) = static_cast<float>(read_floating(shape, value));
        return;
      case Kind::kDouble:
        *static_cast<double*>(out) = read_floating(shape, value);
        return;
      case Kind::kString:
        return read_string(shape, value, out);
      case Kind::kBlob:
        return read_blob(shape, value, out);
      case Kind::kTimestamp:
        *static_cast<core::TimePoint*>(out) = read_time(value);
        return;
      case Kind::kDocument:
        *static_cast<json::value*>(out) = json::value(value, json::storage_ptr());
        return;
      case Kind::kList:
        return read_list(shape, value, out);
      case Kind::kMap:
        return read_map(shape, value, out);
      case Kind::kStructure:
        return read_structure(shape, value, out);
    }
  }

 private:
  template <class T>
  void read_integer(const Shape& shape, const json::value& value, void* out, std::string_view wanted) {
    std::int64_t number = 0;
    if (value.is_int64()) {
      number = value.get_int64();
    } else if (value.is_double() && std::fabs(value.get_double()) < 9.2e18) {
      number = static_cast<std::int64_t>(value.get_double());  // AWS cuts fractions off
    } else {
      wrong_type(value, wanted);
    }
    if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max()) {
      throw SerializationError(fmt::format("{} can not be converted to {}: out of range", number, wanted));
    }
    *static_cast<T*>(out) = static_cast<T>(number);
    if (violations_) violations_->check_number(shape, static_cast<double>(number));
  }

  double read_floating(const Shape& shape, const json::value& value) {
    double number = 0;
    if (value.is_number()) {
      number = value.to_number<double>();
    } else if (value.is_string() && value.get_string() == "NaN") {
      number = std::numeric_limits<double>::quiet_NaN();
    } else if (value.is_string() && value.get_string().ends_with("Infinity")) {
      number = std::numeric_limits<double>::infinity() * (value.get_string().starts_with("-") ? -1 : 1);
    } else {
      wrong_type(value, "a Double");
    }
    if (violations_) violations_->check_number(shape, number);
    return number;
  }

  void read_string(const Shape& shape, const json::value& value, void* out) {
    if (!value.is_string()) wrong_type(value, "a String");
    auto& text = *static_cast<std::string*>(out);
    text.assign(value.get_string().data(), value.get_string().size());
    if (violations_) violations_->check_string(shape, text);
  }

  void read_blob(const Shape& shape, const json::value& value, void* out) {
    if (!value.is_string()) wrong_type(value, "a Blob");
    auto bytes = core::from_base64(value.get_string());
    if (!bytes) throw SerializationError("a Blob is not valid base64");
    auto& blob = *static_cast<std::string*>(out);
    blob = std::move(*bytes);
    if (violations_) violations_->check_string(shape, blob);
  }

  static core::TimePoint read_time(const json::value& value) {
    std::optional<core::TimePoint> time;
    constexpr std::int64_t kFar = 253402300800;  // year 10000, in seconds
    if (value.is_int64() && value.get_int64() > -kFar && value.get_int64() < kFar) {
      time = core::TimePoint(std::chrono::seconds(value.get_int64()));
    } else if (value.is_double() && std::fabs(value.get_double()) < static_cast<double>(kFar)) {
      time = core::TimePoint(core::Millis(std::llround(value.get_double() * 1000.0)));
    } else if (value.is_string()) {
      time = parse_iso8601(value.get_string());
    }
    if (!time) wrong_type(value, "a Timestamp");
    return *time;
  }

  void read_list(const Shape& shape, const json::value& value, void* out) {
    if (value.is_object()) wrong_type(value, "");
    if (!value.is_array()) throw SerializationError("Expected list or null");
    const auto& array = value.get_array();
    if (violations_) violations_->check_size(shape, array.size());
    shape.list->reserve(out, array.size());
    std::size_t index = 0;
    for (const auto& item : array) {
      Violations::Scope scope(violations_, {}, ++index);
      if (!item.is_null()) read(*shape.element, item, shape.list->append(out));
    }
  }

  void read_map(const Shape& shape, const json::value& value, void* out) {
    if (value.is_array()) wrong_type(value, "");
    if (!value.is_object()) throw SerializationError("Expected map or null");
    if (violations_) violations_->check_size(shape, value.get_object().size());
    for (const auto& pair : value.get_object()) {
      if (pair.value().is_null()) continue;
      std::string key(pair.key());
      Violations::Scope scope(violations_, pair.key());
      if (violations_) violations_->check_string(*shape.key, key);
      read(*shape.element, pair.value(), shape.map->insert(out, std::move(key)));
    }
  }

  void read_structure(const Shape& shape, const json::value& value, void* out) {
    if (value.is_array()) wrong_type(value, "");
    if (!value.is_object()) throw SerializationError("Unexpected token: expected a structure or null");
    const auto& object = value.get_object();
    for (const auto& member : shape.members) {
      const auto* inner = object.if_contains(json::string_view(member.wire.data(), member.wire.size()));
      if (!inner || inner->is_null()) {
        if (violations_ && !member.optional) violations_->missing(shape, member, member.name);
        continue;
      }
      Violations::Scope scope(violations_, member.name, 0, &shape);
      read(*member.shape, *inner, emplace(member, out));
    }
  }

  Violations* violations_;
};

json::value list_value(const Shape& shape, const void* value) {
  json::array array;
  const auto size = shape.list->size(value);
  array.reserve(size);
  for (std::size_t i = 0; i < size; ++i)
    array.push_back(encode_json_value(*shape.element, shape.list->at(value, i)));
  return array;
}

json::value map_value(const Shape& shape, const void* value) {
  struct Context {
    const Shape& shape;
    json::object object;
  } context{shape, {}};
  shape.map->visit(value, &context, [](void* opaque, const std::string& key, const void* item) {
    auto& self = *static_cast<Context*>(opaque);
    self.object[key] = encode_json_value(*self.shape.element, item);
  });
  return std::move(context.object);
}

json::value structure_value(const Shape& shape, const void* value) {
  json::object object;
  for (const auto& member : shape.members) {
    if (const void* inner = get(member, value)) {
      object[json::string_view(member.wire.data(), member.wire.size())] =
          encode_json_value(*member.shape, inner);
    }
  }
  return object;
}

}  // namespace

void encode_json(const Shape& shape, const void* value, std::string& out) {
  switch (shape.kind) {
    case Kind::kBoolean:
      out += as<bool>(value) ? "true" : "false";
      return;
    case Kind::kInteger:
      return write_number(as<int>(value), out);
    case Kind::kLong:
      return write_number(as<std::int64_t>(value), out);
    case Kind::kFloat:
      return write_floating(as<float>(value), out);
    case Kind::kDouble:
      return write_floating(as<double>(value), out);
    case Kind::kString:
      return write_string(as<std::string>(value), out);
    case Kind::kBlob:
      return write_string(core::to_base64(as<std::string>(value)), out);
    case Kind::kTimestamp:
      return append_epoch_seconds(as<core::TimePoint>(value), out);
    case Kind::kDocument:
      out += json::serialize(as<json::value>(value));
      return;
    case Kind::kList:
      return write_list(shape, value, out);
    case Kind::kMap:
      return write_map(shape, value, out);
    case Kind::kStructure:
      return write_structure(shape, value, out);
  }
}

json::value encode_json_value(const Shape& shape, const void* value) {
  switch (shape.kind) {
    case Kind::kBoolean:
      return as<bool>(value);
    case Kind::kInteger:
      return as<int>(value);
    case Kind::kLong:
      return as<std::int64_t>(value);
    case Kind::kFloat:
      return static_cast<double>(as<float>(value));
    case Kind::kDouble:
      return as<double>(value);
    case Kind::kString:
      return json::value(as<std::string>(value));
    case Kind::kBlob:
      return json::value(core::to_base64(as<std::string>(value)));
    case Kind::kTimestamp:
      return core::to_epoch_seconds(as<core::TimePoint>(value));
    case Kind::kDocument:
      return as<json::value>(value);
    case Kind::kList:
      return list_value(shape, value);
    case Kind::kMap:
      return map_value(shape, value);
    case Kind::kStructure:
      return structure_value(shape, value);
  }
  return nullptr;
}

void decode_json(const Shape& shape, std::string_view text, void* value, Violations* violations) {
  unsigned char scratch[8192];  // an ordinary request is parsed without touching the heap
  json::monotonic_resource memory(scratch);
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  const auto parsed = json::parse(text, error, &memory, options);
  if (error) throw SerializationError("the body is not valid JSON: " + error.message());
  Decoder(violations).read(shape, parsed, value);
}

void decode_json_value(const Shape& shape, const json::value& json, void* value, Violations* violations) {
  Decoder(violations).read(shape, json, value);
}

}  // namespace sampan::aws
