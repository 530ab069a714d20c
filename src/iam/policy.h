// AWS's policy language: documents read and checked, as values. Pure.
//
// What a policy decides stands in policy_decision.h. A document is read once, when it is stored; what is read
// here is shared by threads and never changes.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "iam/policy_condition.h"

namespace sampan::iam {

// Where a document is attached: it says which elements a statement must and must not have.
enum class PolicyKind {
  kIdentity,    // of a user, group or role, or to be attached to one: a Resource, no Principal
  kTrust,       // of a role: who may assume it; a Principal, no Resource, actions of sts alone
  kRepository,  // of an ECR repository: a Principal, no Resource (the repository is meant)
  kRegistry,    // of an ECR registry: a Principal and a Resource
};

// The text's fault, in AWS's words.
class MalformedPolicy : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Effect { kAllow, kDeny };

struct Principals {
  bool anybody = false;               // "*" or {"AWS": "*"}
  std::vector<std::string> aws;       // ARNs and account ids
  std::vector<std::string> services;  // "ecs-tasks.amazonaws.com"
  // Federated and canonical users are read and match nobody: there are none here.
};

struct Statement {
  std::string sid;
  Effect effect = Effect::kAllow;
  std::optional<Principals> principals;
  bool all_but_principals = false;   // NotPrincipal
  std::vector<std::string> actions;  // "ecr:Batch*", "*"
  bool all_but_actions = false;      // NotAction
  std::vector<std::string> resources;
  bool all_but_resources = false;  // NotResource
  std::vector<Condition> conditions;
};

struct Policy {
  std::string id;
  bool variables = false;  // version 2012-10-17: ${aws:username} is a variable and not text
  std::vector<Statement> statements;
};

inline constexpr std::size_t kLongestPolicy = 131072;  // the APIs' own limit; each place has a smaller one

// Throws MalformedPolicy.
Policy parse_policy(std::string_view text, PolicyKind kind);

}  // namespace sampan::iam
