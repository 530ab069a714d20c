// The STS API: who am I, and temporary keys. Roles are assumed to exist: what they may do is not looked at.
// On the control strand.
#pragma once

#include "api/sts.h"
#include "iam/credentials.h"

namespace sampan::iam {

class StsApi final : public api::sts::Service {
 public:
  StsApi(Keys& keys, Sessions& sessions) : keys_(keys), sessions_(sessions) {}

  boost::asio::awaitable<api::sts::AssumeRoleOutput> AssumeRole(const aws::Call& call,
                                                                api::sts::AssumeRoleInput in) override;
  boost::asio::awaitable<api::sts::GetAccessKeyInfoOutput> GetAccessKeyInfo(
      const aws::Call& call, api::sts::GetAccessKeyInfoInput in) override;
  boost::asio::awaitable<api::sts::GetCallerIdentityOutput> GetCallerIdentity(
      const aws::Call& call, api::sts::GetCallerIdentityInput in) override;
  boost::asio::awaitable<api::sts::GetSessionTokenOutput> GetSessionToken(
      const aws::Call& call, api::sts::GetSessionTokenInput in) override;

 private:
  Keys& keys_;
  Sessions& sessions_;
};

}  // namespace sampan::iam
