#include "iam/directory.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/iam.h"
#include "core/log.h"
#include "core/text.h"
#include "iam/managed_policies.h"

namespace sampan::iam {
namespace {

namespace api = sampan::api::iam;

constexpr EntityKind kAllKinds[] = {EntityKind::kUser, EntityKind::kGroup, EntityKind::kRole};

std::string_view word(EntityKind kind, bool capital) {
  static constexpr std::string_view kWords[][2] = {{"user", "User"}, {"group", "Group"}, {"role", "Role"}};
  return kWords[static_cast<std::size_t>(kind)][capital];
}

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::ranges::any_of(list, [name](const auto& one) { return core::equal_ignoring_case(one, name); });
}

// How GrantBook knows a user or role: a role's sessions do not say its path.
std::string principal_of(EntityKind kind, std::string_view account, const Entity& entity) {
  if (kind == EntityKind::kUser) return entity_arn(kind, account, entity);
  return fmt::format("arn:aws:iam::{}:role/{}", account, entity.name);
}

// A stored document was good when it was stored; one that is not any more allows nothing and denies
// everything.
PolicyRef read_stored(const std::string& document) {
  try {
    return std::make_shared<const Policy>(parse_policy(document, PolicyKind::kIdentity));
  } catch (const MalformedPolicy& error) {
    core::log::error("a stored policy cannot be read, and denies everything: {}", error.what());
    Policy deny;
    deny.statements.push_back({.effect = Effect::kDeny, .actions = {"*"}, .resources = {"*"}});
    return std::make_shared<const Policy>(std::move(deny));
  }
}

api::NoSuchEntityException no_policy(std::string_view arn) {
  return api::NoSuchEntityException(fmt::format("Policy {} was not found.", arn));
}

}  // namespace

Directory::Directory(store::Store& store, Keys& keys, GrantBook& grants)
    : store_(store),
      signers_(keys),
      grants_(grants),
      entities_{{store, "/iam/users/"}, {store, "/iam/groups/"}, {store, "/iam/roles/"}},
      policies_(store, "/iam/policies/"),
      keys_(store, "/iam/keys/") {
  publish_all([](std::string_view, const Entity&) { return true; });
  for (const auto& [id, row] : keys_) publish_key(row.value);
  watch();
}

void Directory::watch() {
  for (const auto kind : {EntityKind::kUser, EntityKind::kRole}) {
    rows(kind).on_change([this, kind](const std::string& key, const Entity* before, const Entity* after) {
      if (before && !after) grants_.erase(principal_of(kind, account_of_key(key), *before));
      if (after) publish(kind, key, *after);
    });
  }
  rows(EntityKind::kGroup)
      .on_change([this](const std::string& key, const Entity* before, const Entity* after) {
        const auto& name = (after ? after : before)->name;
        publish_all([&](std::string_view account, const Entity& entity) {
          return account == account_of_key(key) && has(entity.groups, name);
        });
      });
  policies_.on_change(
      [this](const std::string& key, const ManagedPolicy* before, const ManagedPolicy* after) {
        if (!before || !after) return;  // a new one is attached nowhere, nor is one that goes
        publish_all([&](std::string_view account, const Entity&) { return account == account_of_key(key); });
      });
  keys_.on_change([this](const std::string& id, const UserKey*, const UserKey* after) {
    if (after) {
      publish_key(*after);
    } else {
      signers_.remove(id);
    }
  });
}

void Directory::publish_key(const UserKey& key) {
  const auto* user = find(EntityKind::kUser, key.account, key.user);
  if (!key.active || !user) {
    signers_.remove(key.key.id);
    return;
  }
  signers_.add(
      {key.account, key.key.id, key.key.secret, {}, entity_arn(EntityKind::kUser, key.account, *user), {}});
}

void Directory::publish_all(const std::function<bool(std::string_view, const Entity&)>& wanted) {
  for (const auto kind : {EntityKind::kUser, EntityKind::kRole}) {
    for (const auto& [key, row] : table(kind)) {
      if (wanted(account_of_key(key), row.value)) publish(kind, key, row.value);
    }
  }
}

void Directory::publish(EntityKind kind, const std::string& key, const Entity& entity) {
  const auto account = account_of_key(key);
  auto grants = std::make_shared<Grants>();
  grants->arn = entity_arn(kind, account, entity);
  grants->id = entity.id;
  grants->name = entity.name;
  grants->tags = entity.tags;
  add_policies(account, entity, grants->policies);
  for (const auto& name : entity.groups) {
    if (const auto* group = find(EntityKind::kGroup, account, name))
      add_policies(account, *group, grants->policies);
  }
  grants_.put(principal_of(kind, account, entity), std::move(grants));
}

void Directory::add_policies(std::string_view account, const Entity& entity,
                             std::vector<PolicyRef>& policies) const {
  for (const auto& [name, document] : entity.policies) policies.push_back(read_stored(document));
  for (const auto& arn : entity.attached) {
    if (auto policy = read_policy(account, arn)) policies.push_back(std::move(policy));
  }
}

const Entity* Directory::find(EntityKind kind, std::string_view account, std::string_view name) const {
  return table(kind).find(row_key(account, name));
}

const Entity& Directory::get(EntityKind kind, std::string_view account, std::string_view name) const {
  if (const auto* entity = find(kind, account, name)) return *entity;
  throw api::NoSuchEntityException(
      fmt::format("The {} with name {} cannot be found.", word(kind, false), name));
}

const ManagedPolicy* Directory::find_policy(std::string_view account, std::string_view arn) const {
  const auto slash = arn.rfind('/');
  if (slash == std::string_view::npos) return nullptr;
  const auto* policy = policies_.find(row_key(account, arn.substr(slash + 1)));
  return policy && policy_arn(account, *policy) == arn ? policy : nullptr;
}

PolicyRef Directory::read_policy(std::string_view account, std::string_view arn) const {
  if (auto builtin = read_aws_managed_policy(arn)) return builtin;
  const auto* policy = find_policy(account, arn);
  return policy ? read_stored(policy->document()) : nullptr;
}

std::optional<std::string> Directory::document(std::string_view account, std::string_view arn) const {
  if (const auto* builtin = find_aws_managed_policy(arn)) return std::string(builtin->document);
  const auto* policy = find_policy(account, arn);
  return policy ? std::optional(policy->document()) : std::nullopt;
}

bool Directory::trusts_service(std::string_view account, std::string_view role,
                               std::string_view service) const {
  const auto* made = find(EntityKind::kRole, account, role);
  if (!made) return true;
  Principal principal;
  principal.kind = Principal::Kind::kService;
  principal.service = service;
  const Context context;
  const auto arn = entity_arn(EntityKind::kRole, account, *made);
  const auto answer =
      evaluate(parse_policy(made->trust, PolicyKind::kTrust), {principal, "sts:AssumeRole", arn, context});
  return answer == Answer::kAllows;
}

std::string merge_documents(const std::vector<std::string>& documents) {
  namespace json = boost::json;
  json::array statements;
  for (const auto& document : documents) {
    auto parsed = json::parse(document);
    auto& given = parsed.at("Statement");
    if (given.is_array()) {
      for (auto& one : given.get_array()) {
        if (documents.size() > 1) one.as_object().erase("Sid");  // must differ within a document
        statements.push_back(std::move(one));
      }
    } else {
      if (documents.size() > 1) given.as_object().erase("Sid");
      statements.push_back(std::move(given));
    }
  }
  return json::serialize(json::object{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}});
}

std::vector<const UserKey*> Directory::keys_of(std::string_view account, std::string_view user) const {
  std::vector<const UserKey*> found;
  for (const auto& [id, row] : keys_) {
    const auto& key = row.value;
    if (key.account == account && core::equal_ignoring_case(key.user, user)) found.push_back(&key);
  }
  return found;
}

io::Awaitable<void> Directory::create(EntityKind kind, std::string account, Entity entity) {
  const auto key = row_key(account, entity.name);
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (tx.get(table(kind), key)) {
      throw api::EntityAlreadyExistsException(
          fmt::format("{} with name {} already exists.", word(kind, true), entity.name));
    }
    tx.put(table(kind), key, entity);
  });
}

io::Awaitable<void> Directory::update(EntityKind kind, std::string account, std::string name,
                                      std::function<void(Entity&)> change) {
  const auto key = row_key(account, name);
  co_await store::transact(store_, [&](store::Txn& tx) {
    auto entity = tx.get(table(kind), key);
    if (!entity) get(kind, account, name);  // throws
    const auto before = *entity;
    change(*entity);
    if (*entity != before) tx.put(table(kind), key, *entity);
  });
}

io::Awaitable<void> Directory::remove(EntityKind kind, std::string account, std::string name) {
  const auto key = row_key(account, name);
  co_await store::transact(store_, [&](store::Txn& tx) {
    const auto entity = tx.get(table(kind), key);
    if (!entity) get(kind, account, name);  // throws
    refuse_unless_bare(kind, account, *entity);
    tx.erase(table(kind), key);
  });
}

void Directory::refuse_unless_bare(EntityKind kind, std::string_view account, const Entity& entity) const {
  using Conflict = api::DeleteConflictException;
  if (!entity.attached.empty()) throw Conflict("Cannot delete entity, must detach all policies first.");
  if (!entity.policies.empty()) throw Conflict("Cannot delete entity, must delete policies first.");
  if (!entity.groups.empty()) throw Conflict("Cannot delete entity, must remove user from all groups first.");
  if (kind == EntityKind::kUser && !keys_of(account, entity.name).empty()) {
    throw Conflict("Cannot delete entity, must delete access keys first.");
  }
  if (kind != EntityKind::kGroup) return;
  for (const auto& [key, row] : table(EntityKind::kUser)) {
    if (account_of_key(key) == account && has(row.value.groups, entity.name)) {
      throw Conflict("Cannot delete entity, must remove users from group first.");
    }
  }
}

io::Awaitable<void> Directory::create_policy(std::string account, ManagedPolicy policy) {
  const auto key = row_key(account, policy.name);
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (tx.get(policies_, key)) {
      throw api::EntityAlreadyExistsException(
          fmt::format("A policy called {} already exists. Duplicate names are not allowed.", policy.name));
    }
    tx.put(policies_, key, policy);
  });
}

io::Awaitable<void> Directory::update_policy(std::string account, std::string arn,
                                             std::function<void(ManagedPolicy&)> change) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    const auto* found = find_policy(account, arn);
    if (!found) throw no_policy(arn);
    const auto key = row_key(account, found->name);
    auto policy = tx.get(policies_, key);
    change(*policy);
    tx.put(policies_, key, *policy);
  });
}

io::Awaitable<void> Directory::remove_policy(std::string account, std::string arn) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    const auto* found = find_policy(account, arn);
    if (!found) throw no_policy(arn);
    const auto key = row_key(account, found->name);
    const auto policy = tx.get(policies_, key);
    if (attachments(account, arn) > 0) {
      throw api::DeleteConflictException("Cannot delete a policy attached to entities.");
    }
    if (policy->versions.size() > 1) {
      throw api::DeleteConflictException(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's "
          "versions. The default version is deleted with the policy.");
    }
    tx.erase(policies_, key);
  });
}

int Directory::attachments(std::string_view account, std::string_view arn) const {
  int count = 0;
  for (const auto kind : kAllKinds) {
    for (const auto& [key, row] : table(kind)) {
      count += account_of_key(key) == account &&
               std::ranges::find(row.value.attached, arn) != row.value.attached.end();
    }
  }
  return count;
}

io::Awaitable<void> Directory::add_key(UserKey key) {
  constexpr std::size_t kMostKeys = 2;
  co_await store::transact(store_, [&](store::Txn& tx) {
    // The compare keeps the user there until the key is.
    if (!tx.get(table(EntityKind::kUser), row_key(key.account, key.user)))
      get(EntityKind::kUser, key.account, key.user);
    if (keys_of(key.account, key.user).size() >= kMostKeys) {
      throw api::LimitExceededException(
          fmt::format("Cannot exceed quota for AccessKeysPerUser: {}", kMostKeys));
    }
    tx.put(keys_, key.key.id, key);
  });
}

const UserKey& Directory::require_key(std::string_view account, std::string_view user,
                                      const std::string& id) const {
  const auto* key = keys_.find(id);
  if (key && key->account == account && core::equal_ignoring_case(key->user, user)) return *key;
  throw api::NoSuchEntityException(fmt::format("The Access Key with id {} cannot be found.", id));
}

io::Awaitable<void> Directory::set_key_active(std::string account, std::string user, std::string id,
                                              bool active) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    require_key(account, user, id);
    auto key = tx.get(keys_, id);
    key->active = active;
    tx.put(keys_, id, *key);
  });
}

io::Awaitable<void> Directory::remove_key(std::string account, std::string user, std::string id) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    require_key(account, user, id);
    tx.get(keys_, id);
    tx.erase(keys_, id);
  });
}

}  // namespace sampan::iam
