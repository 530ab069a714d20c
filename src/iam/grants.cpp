#include "iam/grants.h"

#include <mutex>

namespace sampan::iam {

std::span<const PolicyRef> Subject::policies() const {
  return grants ? std::span<const PolicyRef>(grants->policies) : std::span<const PolicyRef>();
}

bool GrantBook::is_plain_root(const aws::Identity& identity) {
  return identity.session_token.empty() && identity.principal_arn.ends_with(":root");
}

Subject GrantBook::subject_of(const aws::Identity& identity) const {
  Subject subject{Principal::of(identity.principal_arn), nullptr, nullptr};
  auto& principal = subject.principal;
  const bool role = principal.kind == Principal::Kind::kRoleSession;
  principal.unbound = principal.kind == Principal::Kind::kRoot || role;
  const std::shared_lock lock(mutex_);
  std::string_view role_id;
  if (const auto limits = sessions_.find(identity.access_key); limits != sessions_.end()) {
    subject.session = limits->second.policy;
    role_id = limits->second.role_id;
    if (!role_id.empty()) principal.unbound = false;
  }
  if (principal.kind == Principal::Kind::kRoot) return subject;
  const auto found = grants_.find(role ? principal.role_arn : principal.arn);
  if (found == grants_.end()) return subject;
  principal.unbound = false;
  if (!role_id.empty() && role_id != found->second->id) return subject;  // another role of that name
  subject.grants = found->second;
  if (role) principal.role_arn = found->second->arn;
  return subject;
}

void GrantBook::put(const std::string& principal, std::shared_ptr<const Grants> grants) {
  const std::unique_lock lock(mutex_);
  grants_[principal] = std::move(grants);
}

void GrantBook::erase(const std::string& principal) {
  const std::unique_lock lock(mutex_);
  grants_.erase(principal);
}

void GrantBook::limit_session(const std::string& access_key, SessionLimits limits) {
  const std::unique_lock lock(mutex_);
  sessions_[access_key] = std::move(limits);
}

void GrantBook::forget_session(const std::string& access_key) {
  const std::unique_lock lock(mutex_);
  sessions_.erase(access_key);
}

}  // namespace sampan::iam
