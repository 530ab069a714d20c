// Who is calling: the seam to the keys (iam::Credentials is behind it), and the check of a request's
// signature.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "aws/fault.h"
#include "aws/service.h"
#include "aws/sigv4.h"
#include "core/clock.h"
#include "http/message.h"

namespace sampan::aws {

struct Identity {
  std::string account;  // 12 digits
  std::string access_key;
  std::string secret;
  std::string session_token;  // empty: a long-lived key
  std::string principal_arn;  // "arn:aws:iam::000000000000:root"
  std::optional<core::TimePoint> expires;
};

// Keys by name. Called on the network threads: implementations are thread-safe and quick.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // The key's owner, or nullptr.
  virtual std::shared_ptr<const Identity> lookup(std::string_view access_key) = 0;
  // False in open mode: any credentials are taken, none is checked, and lookup() answers for every name.
  virtual bool verifies() const = 0;
};

// Why a request is not let in. Each protocol has its own codes for these: authentication_fault().
class AuthenticationError : public std::runtime_error {
 public:
  enum class Why {
    kMissing,
    kIncomplete,
    kUnknownKey,
    kBadToken,
    kExpiredToken,
    kMismatch,
    kSkewed,
    kExpired,
    kScope
  };
  AuthenticationError(Why why, const std::string& message) : std::runtime_error(message), why_(why) {}
  Why why() const { return why_; }

 private:
  Why why_;
};
Fault authentication_fault(Protocol protocol, const AuthenticationError& error);

struct Caller {
  std::shared_ptr<const Identity> identity;
  std::string region;   // of the credential scope; empty when unsigned
  std::string service;  // its signing name; empty when unsigned
};

// The check in two steps, so that a stranger's body is never read.
class SignatureCheck {
 public:
  SignatureCheck(Authenticator& authenticator, SigningKeyCache& keys)
      : authenticator_(authenticator), keys_(keys) {}

  // Reads the head: finds the key, and checks token and time. Throws AuthenticationError.
  Caller admit(const http::Request& request, core::TimePoint now);
  // Compares the signature, with the body. A no-op in open mode. Throws AuthenticationError.
  void verify(const http::Request& request, std::string_view body) const;
  // The signing name in the credential scope, also when admit() has thrown; empty when there is none.
  std::string_view service() const {
    return presented_ ? presented_->credential.service : std::string_view();
  }
  // Throws unless the signature is for this service.
  void require_service(std::string_view signing_name) const;

 private:
  void check_time(core::TimePoint now) const;

  Authenticator& authenticator_;
  SigningKeyCache& keys_;
  std::optional<PresentedSignature> presented_;
  std::shared_ptr<const Identity> identity_;
};

inline constexpr std::chrono::minutes kMaxClockSkew{15};

}  // namespace sampan::aws
