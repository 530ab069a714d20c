// Secrets Manager's refusals in its own words, and checks that several operations share.
#pragma once

#include <optional>
#include <string>

#include "api/secretsmanager.h"
#include "secrets/vault.h"

namespace sampan::secrets {

inline Scope scope_of(const aws::Call& call) {
  return {call.account, call.region};
}

[[noreturn]] void no_secret();
[[noreturn]] void marked_for_deletion();
[[noreturn]] void invalid_parameter(const std::string& message);
[[noreturn]] void invalid_request(const std::string& message);

// The value of an input that may hold either form; nothing when it holds none. Throws when it holds both or
// too much.
std::optional<Value> value_of(std::optional<std::string>& text, std::optional<std::string>& binary);

void check_name(const std::string& name);
void check_token(const std::optional<std::string>& token);

}  // namespace sampan::secrets
