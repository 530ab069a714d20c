// A broken constraint as each service words it. Pure.
#pragma once

#include "aws/fault.h"
#include "aws/service.h"
#include "aws/violations.h"

namespace sampan::aws {

// `violations` is not empty.
Fault validation_fault(const ServiceModel& service, std::string_view operation, const Violations& violations);

// The body (or form) cannot be read as this operation's input.
Fault serialization_fault(Protocol protocol, std::string_view why);

}  // namespace sampan::aws
