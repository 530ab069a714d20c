// Who calls, about where, and when: what every handler gets beside its input.
#pragma once

#include <string>

#include "core/clock.h"

namespace sampan::aws {

struct Call {
  std::string request_id;  // uuid, in the answer and in the log
  std::string service;     // "ecs": the model's name
  std::string operation;   // "RunTask"
  std::string account;     // 12 digits
  std::string region;      // of the credential scope
  std::string access_key;
  std::string principal_arn;  // "arn:aws:iam::000000000000:root"
  std::string host;           // the Host header, for URIs that the client gets back
  std::string remote_address;
  bool secure = false;  // it came over TLS
  core::TimePoint now;
};

}  // namespace sampan::aws
