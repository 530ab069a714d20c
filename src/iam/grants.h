// What each user and role may do, ready to be asked by any thread: a copy of what the directory holds, kept
// up to date by it. Thread-safe.
#pragma once

#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aws/authentication.h"
#include "aws/tags.h"
#include "iam/policy_decision.h"

namespace sampan::iam {

struct Grants {
  std::string arn;   // with its path
  std::string id;    // "AIDA…", "AROA…"
  std::string name;  // of the user or role
  std::vector<PolicyRef> policies;
  aws::Tags tags;
};

// What a temporary key is held to beside its principal's policies.
struct SessionLimits {
  PolicyRef policy;     // given to AssumeRole; may be null
  std::string role_id;  // issued for a role that had been created: without that very role it may nothing
};

// Who asks, with all that is to be said for it.
struct Subject {
  Principal principal;
  std::shared_ptr<const Grants> grants;  // null: none, or it needs none
  PolicyRef session;                     // null: not limited
  std::span<const PolicyRef> policies() const;
};

class GrantBook {
 public:
  Subject subject_of(const aws::Identity& identity) const;
  // An account's root user with its own key: needs no policy and is held by none in its account. Quick.
  static bool is_plain_root(const aws::Identity& identity);

  // In open mode a key that nobody made and that names no account: may do everything everywhere.
  static bool is_anybody(const aws::Identity& identity) {
    return identity.secret.empty() && identity.access_key != identity.account;
  }

  // The principal's ARN without a role's path: "arn:aws:iam::1:user/x/ana", "arn:aws:iam::1:role/ci".
  void put(const std::string& principal, std::shared_ptr<const Grants> grants);
  void erase(const std::string& principal);
  void limit_session(const std::string& access_key, SessionLimits limits);
  void forget_session(const std::string& access_key);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  template <class T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  mutable std::shared_mutex mutex_;
  Map<std::shared_ptr<const Grants>> grants_;
  Map<SessionLimits> sessions_;
};

}  // namespace sampan::iam
