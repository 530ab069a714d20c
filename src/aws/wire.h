// Whole answers of each protocol, good and bad: bodies and the headers that go with them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "aws/fault.h"
#include "aws/service.h"
#include "http/message.h"

namespace sampan::aws {

http::Response encode_answer(const ServiceModel& service, const Operation& operation, const void* output,
                             std::string_view request_id);

// How a fault is told where it is not known which service was meant: by the request's own looks.
struct Dialect {
  Protocol protocol = Protocol::kJson;
  std::string_view json_version = "1.1";
  std::string_view xml_namespace;
};
inline Dialect dialect_of(const ServiceModel& service) {
  return {service.protocol, service.json_version, service.xml_namespace};
}
http::Response encode_fault(const Dialect& dialect, const Fault& fault, std::string_view request_id);

// The client's side. Throw SerializationError when the answer makes no sense.
void decode_answer(const ServiceModel& service, const Operation& operation, std::string_view body,
                   void* output);
Fault decode_fault(const ServiceModel& service, int http_status, std::string_view body);

}  // namespace sampan::aws
