// Users, groups, roles, managed policies and access keys: the rows, the rules between them, and what is told
// to those who ask on other threads (Keys: who signs; GrantBook: what they may).
//
// On the control strand. Changes are durable when they return; they throw the API's exceptions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "iam/credentials.h"
#include "iam/grants.h"
#include "iam/iam_rows.h"
#include "io/executors.h"
#include "store/table.h"

namespace sampan::iam {

class Directory {
 public:
  Directory(store::Store& store, Keys& keys, GrantBook& grants);

  const store::Table<Entity>& table(EntityKind kind) const {
    return entities_[static_cast<std::size_t>(kind)];
  }
  const store::Table<ManagedPolicy>& policies() const { return policies_; }
  const store::Table<UserKey>& keys() const { return keys_; }

  const Entity* find(EntityKind kind, std::string_view account, std::string_view name) const;
  const Entity& get(EntityKind kind, std::string_view account, std::string_view name) const;  // throws
  // The customer's policy of that ARN and account; nullptr when there is none.
  const ManagedPolicy* find_policy(std::string_view account, std::string_view arn) const;
  // Of the customer's or AWS's own; nullptr when there is none.
  PolicyRef read_policy(std::string_view account, std::string_view arn) const;
  std::optional<std::string> document(std::string_view account, std::string_view arn) const;  // likewise
  // May this service ("ecs-tasks.amazonaws.com") give the role to those it runs? Of roles nobody made: yes.
  bool trusts_service(std::string_view account, std::string_view role, std::string_view service) const;
  std::vector<const UserKey*> keys_of(std::string_view account, std::string_view user) const;

  io::Awaitable<void> create(EntityKind kind, std::string account, Entity entity);
  io::Awaitable<void> update(EntityKind kind, std::string account, std::string name,
                             std::function<void(Entity&)> change);
  // Throws DeleteConflict while something hangs on it.
  io::Awaitable<void> remove(EntityKind kind, std::string account, std::string name);

  io::Awaitable<void> create_policy(std::string account, ManagedPolicy policy);
  io::Awaitable<void> update_policy(std::string account, std::string arn,
                                    std::function<void(ManagedPolicy&)> change);
  io::Awaitable<void> remove_policy(std::string account, std::string arn);
  // How many users, groups and roles have it.
  int attachments(std::string_view account, std::string_view arn) const;

  io::Awaitable<void> add_key(UserKey key);
  io::Awaitable<void> set_key_active(std::string account, std::string user, std::string id, bool active);
  io::Awaitable<void> remove_key(std::string account, std::string user, std::string id);

 private:
  store::Table<Entity>& rows(EntityKind kind) { return entities_[static_cast<std::size_t>(kind)]; }
  void watch();
  void publish(EntityKind kind, const std::string& key, const Entity& entity);
  void publish_all(const std::function<bool(std::string_view account, const Entity&)>& wanted);
  void publish_key(const UserKey& key);
  void add_policies(std::string_view account, const Entity& entity, std::vector<PolicyRef>& policies) const;
  void refuse_unless_bare(EntityKind kind, std::string_view account, const Entity& entity) const;
  const UserKey& require_key(std::string_view account, std::string_view user, const std::string& id) const;

  store::Store& store_;
  Keys& signers_;
  GrantBook& grants_;
  store::Table<Entity> entities_[3];
  store::Table<ManagedPolicy> policies_;
  store::Table<UserKey> keys_;
};

// Documents of version 2012-10-17 as one with all their statements.
std::string merge_documents(const std::vector<std::string>& documents);

}  // namespace sampan::iam
