#include "aws/authentication.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/time_text.h"
#include "core/encoding.h"

namespace sampan::aws {
namespace {

using Why = AuthenticationError::Why;

constexpr std::string_view kMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access "
    "Key and signing method. Consult the service documentation for details.";

struct Code {
  std::string_view json;
  std::string_view query;
  int query_status;
  std::string_view ec2;
  int ec2_status;
};

Code code_of(Why why) {
  switch (why) {
    case Why::kMissing:
      return {"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403,
              "MissingAuthenticationToken", 403};
    case Why::kIncomplete:
      return {"IncompleteSignatureException", "IncompleteSignature", 400, "IncompleteSignature", 400};
    case Why::kUnknownKey:
    case Why::kBadToken:
      return {"UnrecognizedClientException", "InvalidClientTokenId", 403, "AuthFailure", 401};
    case Why::kExpiredToken:
      return {"ExpiredTokenException", "ExpiredToken", 403, "RequestExpired", 400};
    case Why::kExpired:
      return {"InvalidSignatureException", "RequestExpired", 400, "RequestExpired", 400};
    case Why::kMismatch:
    case Why::kSkewed:
    case Why::kScope:
      break;
  }
  return {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "SignatureDoesNotMatch", 403};
}

}  // namespace

Fault authentication_fault(Protocol protocol, const AuthenticationError& error) {
  const auto code = code_of(error.why());
  if (protocol == Protocol::kJson) return Fault(std::string(code.json), 400, error.what());
  if (protocol == Protocol::kQuery) return Fault(std::string(code.query), code.query_status, error.what());
  const bool unknown = code.ec2 == "AuthFailure";
  return Fault(std::string(code.ec2), code.ec2_status,
               unknown ? "AWS was not able to validate the provided access credentials" : error.what());
}

Caller SignatureCheck::admit(const http::Request& request, core::TimePoint now) {
  try {
    presented_ = find_signature(request);
  } catch (const IncompleteSignature& error) {
    if (authenticator_.verifies()) throw AuthenticationError(Why::kIncomplete, error.what());
  }
  if (!presented_) {
    if (authenticator_.verifies())
      throw AuthenticationError(Why::kMissing, "Request is missing Authentication Token");
    return {authenticator_.lookup(""), "", ""};
  }
  const auto& credential = presented_->credential;
  identity_ = authenticator_.lookup(credential.access_key);
  if (!authenticator_.verifies()) return {identity_, credential.region, credential.service};
  if (!identity_) {
    throw AuthenticationError(Why::kUnknownKey, "The security token included in the request is invalid.");
  }
  if (!core::equal_in_constant_time(identity_->session_token, presented_->session_token)) {
    throw AuthenticationError(Why::kBadToken, "The security token included in the request is invalid.");
  }
  if (identity_->expires && now >= *identity_->expires) {
    throw AuthenticationError(Why::kExpiredToken, "The security token included in the request is expired");
  }
  check_time(now);
  return {identity_, credential.region, credential.service};
}

void SignatureCheck::check_time(core::TimePoint now) const {
  const auto& text = presented_->amz_date;
  const auto signed_at = parse_amz_date(text);
  if (!signed_at) {
    throw AuthenticationError(
        Why::kIncomplete,
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'.", text.substr(0, 64)));
  }
  if (!text.starts_with(presented_->credential.date)) {
    throw AuthenticationError(
        Why::kScope, fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                                 "date from HTTP: '{}' != '{}', from '{}'.",
                                 presented_->credential.date, text.substr(0, 8), text));
  }
  const auto latest = now + kMaxClockSkew;
  if (*signed_at > latest) {
    throw AuthenticationError(
        Why::kSkewed, fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)", text,
                                  to_amz_date(latest), to_amz_date(now)));
  }
  if (presented_->presigned) {
    if (now <= *signed_at + std::chrono::seconds(presented_->expires_seconds)) return;
    throw AuthenticationError(Why::kExpired, "Request has expired.");
  }
  const auto earliest = now - kMaxClockSkew;
  if (*signed_at < earliest) {
    throw AuthenticationError(Why::kSkewed,
                              fmt::format("Signature expired: {} is now earlier than {} ({} - 15 min.)", text,
                                          to_amz_date(earliest), to_amz_date(now)));
  }
}

void SignatureCheck::require_service(std::string_view signing_name) const {
  if (!authenticator_.verifies() || !presented_ || presented_->credential.service == signing_name) return;
  throw AuthenticationError(
      Why::kScope, fmt::format("Credential should be scoped to correct service: '{}'. ", signing_name));
}

void SignatureCheck::verify(const http::Request& request, std::string_view body) const {
  if (!authenticator_.verifies()) return;
  const auto& names = presented_->signed_headers;
  const auto is_signed = [&names](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  if (!is_signed("host")) {
    throw AuthenticationError(Why::kMismatch,
                              "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  // Unsigned, somebody on the way could make another operation of the same body.
  if (request.headers.find("x-amz-target") && !is_signed("x-amz-target")) {
    throw AuthenticationError(Why::kMismatch,
                              "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
  }
  // A hash that the client declares is what it signed; it must then be the body's.
  const auto declared = request.headers.get("x-amz-content-sha256");
  std::string hash(declared);
  if (declared != kUnsignedPayload) {
    hash = core::sha256_hex(body);
    if (!declared.empty() && declared != hash)
      throw AuthenticationError(Why::kMismatch, std::string(kMismatch));
  }
  const auto canonical = canonical_request(
      {request.method, request.raw_path(), request.raw_query(), request.headers, names, hash});
  const auto key = keys_.key_for(identity_->secret, presented_->credential);
  const auto expected =
      sign_text(key, string_to_sign(presented_->amz_date, presented_->credential, canonical));
  if (!core::equal_in_constant_time(expected, presented_->signature)) {
    throw AuthenticationError(Why::kMismatch, std::string(kMismatch));
  }
}

}  // namespace sampan::aws
