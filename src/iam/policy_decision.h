// What policies decide about a request, and how their answers are put together. Pure; any thread.
//
// The rules, in AWS's order:
//   - a Deny anywhere decides;
//   - within an account, one Allow is enough: the caller's own policies' or the resource's;
//   - a resource's policy that names an account (not the caller) gives the account the right to allow: the
//     caller's own policies must allow too;
//   - for a resource of another account both sides must allow;
//   - a session's policy takes away: what it does not allow is denied;
//   - who has full access (an account's root user, a session of a role nobody made) needs no policy of its
//   own,
//     and inside its own account nobody can lock it out.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "iam/policy.h"

namespace sampan::iam {

struct Principal {
  enum class Kind { kRoot, kUser, kRoleSession, kService };
  Kind kind = Kind::kRoot;
  std::string account;
  std::string arn;       // as messages have it; of a role's session the session's
  std::string role_arn;  // of a role's session
  std::string service;   // "ecs-tasks.amazonaws.com"
  // Everything is allowed to it by itself: see above.
  bool unbound = false;

  // Of "arn:aws:iam::1:root", ":user/x", "arn:aws:sts::1:assumed-role/x/y". Without full access.
  static Principal of(std::string_view arn);
  // aws:PrincipalArn: of a role's session the role's.
  const std::string& policy_arn() const { return role_arn.empty() ? arn : role_arn; }
};

struct AccessRequest {
  const Principal& principal;
  std::string_view action;    // "ecr:BatchGetImage"
  std::string_view resource;  // an ARN, or "*" for an action that has none
  const Context& context;
};

// One policy's answer; the larger one wins.
enum class Answer { kNothing, kAllowsAccount, kAllows, kDenies };
Answer evaluate(const Policy& policy, const AccessRequest& request);

using PolicyRef = std::shared_ptr<const Policy>;

struct Policies {
  std::span<const PolicyRef> identity;
  std::span<const PolicyRef> resource;
  const Policy* session = nullptr;
  bool other_account = false;  // the resource is not the caller's account's
};

enum class Verdict { kAllow, kExplicitDeny, kImplicitDeny };
enum class Side { kIdentity, kResource, kSession };

struct Decision {
  Verdict verdict = Verdict::kImplicitDeny;
  Side by = Side::kIdentity;  // of a denial: whose policies denied, or did not allow
};
Decision decide(const AccessRequest& request, const Policies& policies);

// "User: ARN is not authorized to perform: ACTION on resource: RESOURCE because no identity-based policy
// allows the ACTION action"
std::string denial_text(const AccessRequest& request, const Decision& decision);

}  // namespace sampan::iam
