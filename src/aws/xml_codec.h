// Answers of the Query and EC2 protocols: values to XML, for the server, and XML to values, for the client.
#pragma once

#include <string>
#include <string_view>

#include "aws/shape.h"

namespace pugi {
class xml_node;
}

namespace sampan::aws {

// The members of a structure as elements (without one around them), or a scalar's text.
void encode_xml(const Shape& shape, const void* value, std::string& out);
// Escapes what XML reserves; characters that XML cannot hold become U+FFFD.
void append_xml_text(std::string_view text, std::string& out);

// Fills `value`, which is fresh, from the children of `node`. Unknown elements are ignored. Throws
// SerializationError.
void decode_xml(const Shape& shape, const pugi::xml_node& node, void* value);

}  // namespace sampan::aws
