// Who asks the registry: the Authorization header against tokens and access keys.
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/authentication.h"
#include "core/clock.h"
#include "ecr/registry_error.h"
#include "ecr/tokens.h"
#include "http/message.h"

namespace sampan::ecr {

// Whose registry is meant, and by whom.
struct Visitor {
  std::string account;
  std::string region;
  std::string only_blob;  // of a download URL: "<repository>@<digest>"; empty: everything of the account
  std::shared_ptr<const aws::Identity> caller;  // whose key it is; null: anybody, in open mode
  std::optional<std::vector<Scope>> scopes{};   // of a token that is good for these alone
  std::optional<core::TimePoint> expires{};     // of a token
};

// 401 with the challenges that clients answer: Basic, and Bearer with the scope that the request needs.
RegistryError unauthorized(const http::Request& request);
// Of a token that does not reach so far.
RegistryError insufficient_scope(const http::Request& request);

struct Home {  // where callers who do not say are at home
  std::string account;
  std::string region;
};

class Login {
 public:
  Login(const Tokens& tokens, aws::Authenticator& keys, core::Clock& clock, Home home)
      : tokens_(tokens), keys_(keys), clock_(clock), home_(std::move(home)) {}

  // Basic with user AWS and a token, Basic with an access key and its secret, Bearer with a token, or a
  // signed URL. In open mode anybody is let in. Throws RegistryError 401 or 403.
  Visitor admit(const http::Request& request) const;
  core::TimePoint now() const { return clock_.now(); }

 private:
  std::optional<Visitor> by_header(const http::Request& request) const;
  void ask_again_when_expired(const http::Request& request, std::string_view token) const;
  std::optional<Visitor> by_basic(std::string_view encoded) const;
  std::optional<Visitor> by_token(std::string_view token) const;
  std::optional<Visitor> by_url(std::string_view query) const;
  bool open() const { return !keys_.verifies(); }

  const Tokens& tokens_;
  aws::Authenticator& keys_;
  core::Clock& clock_;
  Home home_;
};

}  // namespace sampan::ecr
