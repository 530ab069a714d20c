#include "secrets/faults.h"

#include <algorithm>

namespace sampan::secrets {
namespace model = api::secretsmanager;

void no_secret() {
  throw model::ResourceNotFoundException("Secrets Manager can't find the specified secret.");
}
void marked_for_deletion() {
  throw model::InvalidRequestException(
      "You can't perform this operation on the secret because it was marked for deletion.");
}
void invalid_parameter(const std::string& message) {
  throw model::InvalidParameterException(message);
}
void invalid_request(const std::string& message) {
  throw model::InvalidRequestException(message);
}

std::optional<Value> value_of(std::optional<std::string>& text, std::optional<std::string>& binary) {
  if (text && binary) {
    invalid_parameter(
        "You can't specify both a binary secret value and a string secret value in the same secret.");
  }
  if (!text && !binary) return std::nullopt;
  Value value{std::move(text ? *text : *binary), !text};
  if (value.bytes.size() > kLargestValue) {
    invalid_parameter("The secret value is longer than 65536 bytes, the most that a secret may have.");
  }
  return value;
}

void check_name(const std::string& name) {
  constexpr std::string_view kMore = "/_+=.@-!";
  const bool good = std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMore.find(c) != std::string_view::npos;
  });
  if (!good || name.empty()) {
    invalid_parameter(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: "
        "-/_+=.@!");
  }
}

void check_token(const std::optional<std::string>& token) {
  if (token && (token->size() < 32 || token->size() > 64)) {
    invalid_parameter("ClientRequestToken must be 32-64 characters long.");
  }
  if (token && token->find('/') != std::string::npos)
    invalid_parameter("ClientRequestToken must not hold a '/'.");
}

}  // namespace sampan::secrets
