// Holds every call to what its caller may do: the policies of users and made roles, those of sessions, and
// those of resources. Thread-safe once all services are known.
//
// Who has full access (an account's root user, a session of a role nobody made) passes at the cost of a look
// at its name, as long as it stays in its own account.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/authorizer.h"
#include "iam/grants.h"

namespace sampan::iam {

// One thing that a call wants to do, and to what.
struct Target {
  std::string action;                    // "ecr:PutImage"
  std::string resource = "*";            // an ARN
  std::string account;                   // whose it is; empty: the caller's
  std::vector<PolicyRef> policies = {};  // the resource's own
  aws::Tags tags = {};                   // the resource's: aws:ResourceTag/…, <service>:ResourceTag/…
  std::vector<std::pair<std::string, std::string>> keys = {};  // more condition keys
};

// The circumstances, for conditions.
struct Circumstances {
  std::string_view remote_address;
  std::string_view region;
  bool secure = false;
  core::TimePoint now;
};

// What a service knows of its operations' resources.
struct ResourceKnowledge {
  // What the call wants. Empty: anybody who is known may do it (GetCallerIdentity).
  std::function<std::vector<Target>(const aws::Attempt&)> targets;
  // The account that an input names, or "" for the caller's own. Null: the service has no others'.
  std::function<std::string_view(const aws::Attempt&)> owner;
};

class Authorizer final : public aws::Authorizer {
 public:
  explicit Authorizer(const GrantBook& grants) : grants_(grants) {}

  // Before the first call. `service` is the model's name.
  void know(std::string service, ResourceKnowledge knowledge) {
    known_[std::move(service)] = std::move(knowledge);
  }

  void authorize(const aws::Attempt& attempt) const override;
  // The text of the refusal; nothing when all of it is allowed.
  std::optional<std::string> refusal(const aws::Identity& caller, const std::vector<Target>& targets,
                                     const Circumstances& circumstances) const;

 private:
  const GrantBook& grants_;
  std::map<std::string, ResourceKnowledge, std::less<>> known_;
};

// The condition keys that every request has.
Context context_of(const Subject& subject, const Circumstances& circumstances);

// "ecr" and "BatchGetImage" as policies have it: by the service's signing name.
std::string action_of(const aws::Attempt& attempt);

// IAM's and STS's own resources: users, groups, roles and policies by their ARNs.
ResourceKnowledge iam_knowledge();
ResourceKnowledge sts_knowledge();
// ECS: clusters, services, task definitions; and iam:PassRole for the roles that tasks shall have.
ResourceKnowledge ecs_knowledge();
// ELBv2: what its inputs name by ARN.
ResourceKnowledge elb_knowledge();

}  // namespace sampan::iam
