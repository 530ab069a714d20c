// May this caller do this? Asked by the dispatcher before each handler; iam::Authorizer is behind it.
#pragma once

#include "aws/authentication.h"
#include "aws/call.h"
#include "aws/service.h"

namespace sampan::aws {

struct Attempt {
  const ServiceModel& service;
  const Operation& operation;
  const void* input;  // of operation.input's shape, decoded and valid
  const Call& call;
  const Identity& caller;
};

// Called on the network threads: implementations are thread-safe and quick.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // Throws the protocol's Fault (access_denied) when not.
  virtual void authorize(const Attempt& attempt) const = 0;
};

// AccessDeniedException, AccessDenied or UnauthorizedOperation, as the protocol has it.
Fault access_denied(Protocol protocol, const std::string& message);

// A member of an input by its model's name, where it is present and text; nullptr otherwise.
const std::string* text_member(const Shape& shape, const void* input, std::string_view name);
// Likewise a list of texts.
std::vector<std::string> text_list_member(const Shape& shape, const void* input, std::string_view name);

}  // namespace sampan::aws
