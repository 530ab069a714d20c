// May this caller do that in the registry: ECR's part of the API's authorization, and the OCI registry's own.
// Thread-safe; no call waits for the control strand.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ecr/access_policies.h"
#include "iam/authorizer.h"

namespace sampan::ecr {

class Access {
 public:
  Access(const iam::Authorizer& authorizer, const AccessPolicies& policies)
      : authorizer_(authorizer), policies_(policies) {}

  // What ECR's operations are about: repositories, with their policies and tags.
  iam::ResourceKnowledge knowledge() const;
  // A root user in its own account, whom nothing holds. Quick.
  static bool is_free(const aws::Identity& caller, std::string_view account) {
    return iam::GrantBook::is_plain_root(caller) && caller.account == account;
  }
  // Why the caller may not do `action` ("ecr:PutImage") in the repository; nothing when it may. An empty name
  // means the registry as a whole.
  std::optional<std::string> refusal(const aws::Identity& caller, const RepositoryId& repository,
                                     std::string_view action, const iam::Circumstances& circumstances) const;

 private:
  iam::Target target_of(std::string action, const RepositoryId& repository) const;
  std::vector<iam::Target> targets_of(const aws::Attempt& attempt) const;

  const iam::Authorizer& authorizer_;
  const AccessPolicies& policies_;
};

}  // namespace sampan::ecr
