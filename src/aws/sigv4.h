// AWS Signature Version 4: the pure part. What is signed, with which key, and the Authorization header's
// grammar. Who may call is decided in aws/authentication.h.
#pragma once

#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "http/message.h"

namespace sampan::aws {

inline constexpr std::string_view kSigV4Algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kStreamingPayload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view kEmptyPayloadHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// "AKID/20150830/us-east-1/iam/aws4_request", in parts.
struct CredentialScope {
  std::string access_key;
  std::string date;  // "20150830"
  std::string region;
  std::string service;

  static std::optional<CredentialScope> parse(std::string_view text);
  std::string scope() const;  // without the access key
};

// A request's signature as it came, from the Authorization header or from a presigned URL's query.
struct PresentedSignature {
  CredentialScope credential;
  std::vector<std::string> signed_headers;  // lower case, in the order given
  std::string signature;                    // 64 hex digits
  std::string amz_date;                     // "20150830T123600Z"
  std::string session_token;
  bool presigned = false;
  std::int64_t expires_seconds = 0;  // presigned only
};

// What is wrong with an Authorization header, in AWS's words.
class IncompleteSignature : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Nothing when the request carries no signature of this kind. Throws IncompleteSignature.
std::optional<PresentedSignature> find_signature(const http::Request& request);

struct CanonicalInput {
  std::string_view method;
  std::string_view path;   // as sent
  std::string_view query;  // as sent, without '?'
  const http::Headers& headers;
  const std::vector<std::string>& signed_headers;
  std::string_view payload_hash;
};
std::string canonical_request(const CanonicalInput& input);
std::string string_to_sign(std::string_view amz_date, const CredentialScope& scope,
                           std::string_view canonical);
// The raw 32 bytes of a day's key for one region and service.
std::string derive_signing_key(std::string_view secret, const CredentialScope& scope);
std::string sign_text(std::string_view signing_key, std::string_view text);  // hex

// Derived keys, kept: deriving costs four HMACs and holds for a day. Thread-safe.
class SigningKeyCache {
 public:
  std::string key_for(std::string_view secret, const CredentialScope& scope);

 private:
  static constexpr std::size_t kMaxKept = 4096;  // then all are forgotten
  struct Kept {
    std::string secret;
    std::string key;
  };
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Kept> kept_;
};

struct Credentials {
  std::string access_key;
  std::string secret;
  std::string session_token;  // empty for long-lived keys
};

// Adds X-Amz-Date, X-Amz-Security-Token and Authorization to `request`, which has its Host header already. The body
// is left out of the signature when X-Amz-Content-Sha256 is there and says UNSIGNED-PAYLOAD.
void sign_request(http::Request& request, std::string_view body, const Credentials& credentials,
                  std::string_view region, std::string_view service, core::TimePoint now);

// The target of `request` with a signature in its query, good for `expires`. With X-Amz-Content-Sha256 as above, for S3.
std::string presign_target(const http::Request& request, const Credentials& credentials,
                           std::string_view region, std::string_view service, core::TimePoint now,
                           std::chrono::seconds expires);

}  // namespace sampan::aws
