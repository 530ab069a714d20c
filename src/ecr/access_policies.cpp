#include "ecr/access_policies.h"

#include <mutex>

#include "core/log.h"

namespace sampan::ecr {
namespace {

// A row was good when it was stored; one that is not any more allows nobody anything and denies everybody.
iam::PolicyRef read_stored(const std::string& key, const std::string& text, iam::PolicyKind kind) {
  try {
    return std::make_shared<const iam::Policy>(iam::parse_policy(text, kind));
  } catch (const iam::MalformedPolicy& error) {
    core::log::error("the policy of {} cannot be read, and denies everything: {}", key, error.what());
    iam::Policy deny;
    deny.statements.push_back({.effect = iam::Effect::kDeny, .actions = {"*"}, .resources = {"*"}});
    return std::make_shared<const iam::Policy>(std::move(deny));
  }
}

iam::Policy read(std::string_view text, iam::PolicyKind kind) {
  auto policy = iam::parse_policy(text, kind);
  for (const auto& statement : policy.statements) {
    for (const auto& action : statement.actions) {
      if (action == "*" || iam::action_matches("ecr:*", action)) continue;
      throw iam::MalformedPolicy("Action " + action + " is not one of ECR's.");
    }
  }
  return policy;
}

std::string registry_key(const std::string& account, const std::string& region) {
  return account + '/' + region;
}

}  // namespace

iam::Policy read_repository_policy(std::string_view text) {
  return read(text, iam::PolicyKind::kRepository);
}

iam::Policy read_registry_policy(std::string_view text) {
  return read(text, iam::PolicyKind::kRegistry);
}

std::optional<std::string> repository_policy_problem(const std::string& text) {
  try {
    read_repository_policy(text);
    return std::nullopt;
  } catch (const iam::MalformedPolicy& error) {
    return error.what();
  }
}

AccessPolicies::AccessPolicies(store::Store& store, Repositories& repositories)
    : store_(store),
      repositories_(repositories),
      repository_rows_(store, "/ecr/repository-policies/"),
      registry_rows_(store, "/ecr/registry-policies/") {
  follow(repository_rows_, of_repositories_, iam::PolicyKind::kRepository);
  follow(registry_rows_, of_registries_, iam::PolicyKind::kRegistry);
  for (const auto& [key, row] : repositories.repositories()) note_tags(key, &row.value);
  repositories.when_repository_changes([this](const std::string& key, const RepositoryRow*,
                                              const RepositoryRow* after) { note_tags(key, after); });
  repositories.when_repository_goes(
      [this](store::Txn& tx, const RepositoryId& id) { tx.erase(repository_rows_, id.key()); });
}

void AccessPolicies::follow(store::Table<PolicyRow>& table, Book& book, iam::PolicyKind kind) {
  for (const auto& [key, row] : table) book[key] = read_stored(key, row.value.text, kind);
  table.on_change([this, &book, kind](const std::string& key, const PolicyRow*, const PolicyRow* after) {
    auto policy = after ? read_stored(key, after->text, kind) : nullptr;
    const std::unique_lock lock(mutex_);
    if (policy) {
      book[key] = std::move(policy);
    } else {
      book.erase(key);
    }
  });
}

void AccessPolicies::note_tags(const std::string& key, const RepositoryRow* row) {
  const std::unique_lock lock(mutex_);
  if (row && !row->tags.empty()) {
    tags_[key] = row->tags;
  } else {
    tags_.erase(key);
  }
}

const std::string* AccessPolicies::of_repository(const RepositoryId& id) const {
  const auto* row = repository_rows_.find(id.key());
  return row ? &row->text : nullptr;
}

const std::string* AccessPolicies::of_registry(const std::string& account, const std::string& region) const {
  const auto* row = registry_rows_.find(registry_key(account, region));
  return row ? &row->text : nullptr;
}

io::Awaitable<void> AccessPolicies::set_repository(RepositoryId id, std::string text) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    repositories_.get(id);
    // The compare keeps the repository there until the policy is.
    tx.get(repositories_.repositories(), id.key());
    put_repository(tx, id, text);
  });
}

void AccessPolicies::put_repository(store::Txn& tx, const RepositoryId& id, const std::string& text) const {
  tx.put(repository_rows_, id.key(), PolicyRow{text});
}

io::Awaitable<void> AccessPolicies::remove_repository(RepositoryId id) {
  co_await store::transact(store_, [&](store::Txn& tx) { tx.erase(repository_rows_, id.key()); });
}

io::Awaitable<void> AccessPolicies::set_registry(std::string account, std::string region, std::string text) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    tx.put(registry_rows_, registry_key(account, region), PolicyRow{text});
  });
}

io::Awaitable<void> AccessPolicies::remove_registry(std::string account, std::string region) {
  co_await store::transact(store_,
                           [&](store::Txn& tx) { tx.erase(registry_rows_, registry_key(account, region)); });
}

std::vector<iam::PolicyRef> AccessPolicies::policies_of(const RepositoryId& id) const {
  std::vector<iam::PolicyRef> policies;
  const std::shared_lock lock(mutex_);
  if (const auto found = of_repositories_.find(id.key()); found != of_repositories_.end()) {
    policies.push_back(found->second);
  }
  if (const auto found = of_registries_.find(registry_key(id.account, id.region));
      found != of_registries_.end()) {
    policies.push_back(found->second);
  }
  return policies;
}

aws::Tags AccessPolicies::tags_of(const RepositoryId& id) const {
  const std::shared_lock lock(mutex_);
  const auto found = tags_.find(id.key());
  return found == tags_.end() ? aws::Tags() : found->second;
}

}  // namespace sampan::ecr
