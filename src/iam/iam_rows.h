// What IAM stores:
//   /iam/users/<account>/<name>     Entity      names are told apart without regard to case: keys are lower
//   case /iam/groups/<account>/<name>    Entity /iam/roles/<account>/<name>     Entity
//   /iam/policies/<account>/<name>  ManagedPolicy
//   /iam/keys/<access key id>       UserKey     the secret in the clear: state.db is readable by its owner
//   alone
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/tags.h"
#include "core/clock.h"
#include "iam/root_key.h"
#include "store/table.h"

namespace sampan::iam {

enum class EntityKind { kUser, kGroup, kRole };

// A user, a group or a role.
struct Entity {
  std::string name;
  std::string path = "/";
  std::string id;  // "AIDA…", "AGPA…", "AROA…"
  core::TimePoint created{};
  std::map<std::string, std::string> policies;  // those inside it: name -> document
  std::vector<std::string> attached;            // ARNs of managed policies
  aws::Tags tags;
  std::vector<std::string> groups;  // of a user: names
  std::string trust;                // of a role: who may assume it
  std::string description;
  int longest_session = 3600;  // seconds
  bool operator==(const Entity&) const = default;
};

struct PolicyVersion {
  std::string id;  // "v1"
  std::string document;
  core::TimePoint created{};
  bool operator==(const PolicyVersion&) const = default;
};

struct ManagedPolicy {
  std::string name;
  std::string path = "/";
  std::string id;  // "ANPA…"
  std::string description;
  core::TimePoint created{};
  core::TimePoint updated{};
  std::vector<PolicyVersion> versions;  // oldest first
  std::string default_version;
  int last_version = 1;
  aws::Tags tags;
  bool operator==(const ManagedPolicy&) const = default;

  const PolicyVersion* find(std::string_view version) const;
  const std::string& document() const { return find(default_version)->document; }
};

struct UserKey {
  AccessKey key;
  std::string account;
  std::string user;  // its name
  bool active = true;
  core::TimePoint created{};
};

// "000000000000/ana": a row's key.
std::string row_key(std::string_view account, std::string_view name);
std::string_view account_of_key(std::string_view key);
// "arn:aws:iam::000000000000:user/team/ana"
std::string entity_arn(EntityKind kind, std::string_view account, const Entity& entity);
std::string policy_arn(std::string_view account, const ManagedPolicy& policy);

}  // namespace sampan::iam

template <>
struct sampan::store::RowCodec<sampan::iam::Entity> {
  static std::string encode(const iam::Entity& row);
  static iam::Entity decode(std::string_view text);
};
template <>
struct sampan::store::RowCodec<sampan::iam::ManagedPolicy> {
  static std::string encode(const iam::ManagedPolicy& row);
  static iam::ManagedPolicy decode(std::string_view text);
};
template <>
struct sampan::store::RowCodec<sampan::iam::UserKey> {
  static std::string encode(const iam::UserKey& row);
  static iam::UserKey decode(std::string_view text);
};
