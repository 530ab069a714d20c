// The STS API: who am I, and temporary keys.
//
// A role that CreateRole has made is given to those whom its trust policy names, and is held to its policies.
// Any other role is assumed to exist, and has full access; only who has full access himself may take it, and
// only the operator (the root user of the account that this Sampan was started with) one of another account:
// that is how a second account is had, as with OrganizationAccountAccessRole. On the control strand.
#pragma once

#include "api/sts.h"
#include "iam/credentials.h"
#include "iam/directory.h"

namespace sampan::iam {

class StsApi final : public api::sts::Service {
 public:
  StsApi(Keys& keys, Sessions& sessions, const Directory& directory, const GrantBook& grants)
      : keys_(keys), sessions_(sessions), directory_(directory), grants_(grants) {}

  boost::asio::awaitable<api::sts::AssumeRoleOutput> AssumeRole(const aws::Call& call,
                                                                api::sts::AssumeRoleInput in) override;
  boost::asio::awaitable<api::sts::GetAccessKeyInfoOutput> GetAccessKeyInfo(
      const aws::Call& call, api::sts::GetAccessKeyInfoInput in) override;
  boost::asio::awaitable<api::sts::GetCallerIdentityOutput> GetCallerIdentity(
      const aws::Call& call, api::sts::GetCallerIdentityInput in) override;
  boost::asio::awaitable<api::sts::GetSessionTokenOutput> GetSessionToken(
      const aws::Call& call, api::sts::GetSessionTokenInput in) override;

 private:
  // Throws AccessDenied unless the caller may take the role. `role` is null for one that nobody made.
  void require_trust(const aws::Call& call, const api::sts::AssumeRoleInput& in, const Entity* role) const;
  std::string session_policy(std::string_view account, const api::sts::AssumeRoleInput& in) const;
  std::string assumed_id(std::string_view account, std::string_view role_and_session) const;

  Keys& keys_;
  Sessions& sessions_;
  const Directory& directory_;
  const GrantBook& grants_;
};

}  // namespace sampan::iam
