// Requests of the Query protocol (`Tags.member.1.Key=a`) and of EC2's (`Tag.1.Key=a`): forms to values, for
// the server, and values to forms, for the client.
#pragma once

#include <string>
#include <string_view>

#include "aws/form.h"
#include "aws/service.h"
#include "aws/shape.h"

namespace sampan::aws {

class Violations;

// Fills `value`, which is fresh, from the form's pairs. Throws SerializationError naming the parameter.
void decode_query(Protocol protocol, const Shape& shape, const Form& form, void* value,
                  Violations* violations = nullptr);

// "Action=RunInstances&Version=...&..." percent-encoded.
std::string encode_query(const ServiceModel& service, const Operation& operation, const void* input);

}  // namespace sampan::aws
