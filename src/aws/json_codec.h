// The JSON codec: AWS JSON 1.0 and 1.1 bodies, and how generated values are kept in the store. Walks shape
// tables; the templates are only typed doors.
//
// Blobs are base64, timestamps epoch seconds with milliseconds. Absent optional members are left out, unknown
// members in input are ignored, and a null is the same as absent.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "aws/shape.h"

namespace sampan::aws {

class Violations;

// Input that is no JSON, is nested too deeply, or has the wrong type somewhere.
class SerializationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr std::size_t kMaxDepth = 64;  // of values in each other, in every codec

void encode_json(const Shape& shape, const void* value, std::string& out);
boost::json::value encode_json_value(const Shape& shape, const void* value);

// Fill `value`, which is fresh. With `violations`, checks the model's constraints and collects what breaks
// them; without, the text is trusted (it is our own) and only its types are checked. Throw
// SerializationError.
void decode_json(const Shape& shape, std::string_view text, void* value, Violations* violations = nullptr);
void decode_json_value(const Shape& shape, const boost::json::value& json, void* value,
                       Violations* violations = nullptr);

template <Shaped T>
std::string json_encode(const T& value) {
  std::string out;
  encode_json(T::kShape, &value, out);
  return out;
}

template <Shaped T>
T json_decode(std::string_view text) {
  T value{};
  decode_json(T::kShape, text, &value);
  return value;
}

template <Shaped T>
boost::json::value to_json(const T& value) {
  return encode_json_value(T::kShape, &value);
}

template <Shaped T>
T from_json(const boost::json::value& json) {
  T value{};
  decode_json_value(T::kShape, json, &value);
  return value;
}

}  // namespace sampan::aws
