// Authorization tokens: what GetAuthorizationToken gives and the registry takes, valid for twelve hours, and
// the signed names of single blobs in download URLs. Stateless: HMAC-SHA256 with a key that the store keeps.
//
// load() and key making are on the control strand; sign and verify are thread-safe after that.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"
#include "core/random.h"
#include "ecr/rows.h"
#include "ecr/scope.h"
#include "image/reference.h"
#include "io/executors.h"

namespace sampan::ecr {

inline constexpr std::chrono::hours kTokenLife{12};
inline constexpr std::chrono::hours kUrlLife{1};

struct TokenClaims {
  std::string account;
  std::string region;
  std::string access_key;  // whose it is
  std::string blob;        // "<repository>@<digest>" when it is good for that alone; empty: for everything
  core::TimePoint expires{};
  std::optional<std::vector<Scope>> scopes{};  // good for these alone; nothing: for all that its key may do
};

std::string sign_token(const TokenClaims& claims, std::string_view key);
// Nothing when it is not of this key or not a token; an expired one is given, its reader looks at `expires`.
std::optional<TokenClaims> read_token(std::string_view token, std::string_view key);

class Tokens {
 public:
  Tokens(store::Store& store, core::IdSource& ids);
  // Makes the key at the first call. On the control strand.
  io::Awaitable<std::string> sign(TokenClaims claims);
  std::optional<TokenClaims> read(std::string_view token) const;

 private:
  static constexpr std::size_t kMostRead = 1024;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::string current_key() const;

  store::Store& store_;
  core::IdSource& ids_;
  store::Table<TokenKeyRow> keys_;
  mutable std::mutex mutex_;
  std::string key_;  // a copy for other threads
  // What was read before, by its text: a client sends its token with every request, and checking it costs
  // more than the rest of a small one. Only what key_ has signed; whether it has expired is its reader's to
  // see.
  mutable std::unordered_map<std::string, TokenClaims, Hash, std::equal_to<>> read_;
};

}  // namespace sampan::ecr
