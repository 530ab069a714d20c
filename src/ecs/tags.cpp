// Tags of clusters, task definitions, tasks, services and container instances, by ARN.
#include <algorithm>

#include "core/text.h"
#include "ecs/definition_rules.h"
#include "ecs/faults.h"
#include "ecs/service_api.h"
#include "ecs/state.h"

namespace sampan::ecs {
namespace {

using Tags = std::vector<Tag>;
using Change = std::function<void(Tags&)>;

// "kind/rest" of an ARN of the caller's; the fault for anything else.
std::pair<std::string, std::string> resource_of(const Scope& scope, const std::string& arn) {
  auto rest = arn_rest(scope, arn);
  auto slash = rest ? rest->find('/') : std::string_view::npos;
  if (slash == std::string_view::npos) invalid_parameter("Invalid resource ARN: {}", arn);
  return {std::string(rest->substr(0, slash)), scope_key(scope) + std::string(rest->substr(slash + 1))};
}

void merge(Tags& tags, const Tags& changes) {
  for (const auto& change : changes) {
    auto same =
        std::find_if(tags.begin(), tags.end(), [&](const auto& tag) { return tag.key == change.key; });
    if (same == tags.end()) {
      tags.push_back(change);
    } else {
      same->value = change.value;
    }
  }
  check_tags(tags);
}

// Applies `change` to the tags of one row of one table. False: no such row.
template <class T, class Place>
bool change_row(store::Txn& tx, const store::Table<T>& table, const std::string& key, Place place,
                const Change& change) {
  auto row = tx.get(table, key);
  if (!row) return false;
  change(place(*row));
  tx.put(table, key, *row);
  return true;
}

Tags& present(std::optional<Tags>& tags) {
  if (!tags) tags.emplace();
  return *tags;
}

// "FAMILY:REVISION" with its scope before it, as the key of the definition's row.
std::string definition_row_key(const Scope& scope, const std::string& arn) {
  auto name = parse_definition(scope, arn);
  if (!name || !name->revision) return {};
  return definition_key(scope, name->family, *name->revision);
}

bool change_tags(State& state, store::Txn& tx, const Scope& scope, const std::string& arn,
                 const Change& change) {
  auto [kind, key] = resource_of(scope, arn);
  if (kind == "cluster") {
    return change_row(tx, state.clusters, key, [](auto& row) -> Tags& { return present(row.tags); }, change);
  }
  if (kind == "task") {
    return change_row(
        tx, state.tasks, key, [](auto& row) -> Tags& { return present(row.task.tags); }, change);
  }
  if (kind == "service") {
    return change_row(
        tx, state.services, key, [](auto& row) -> Tags& { return present(row.service.tags); }, change);
  }
  if (kind == "container-instance") {
    return change_row(tx, state.instances, key, [](auto& row) -> Tags& { return present(row.tags); }, change);
  }
  if (kind == "task-definition") {
    return change_row(
        tx, state.definitions, definition_row_key(scope, arn), [](auto& row) -> Tags& { return row.tags; },
        change);
  }
  invalid_parameter("Invalid resource ARN: {}", arn);
}

[[noreturn]] void not_found(const Scope& scope, const std::string& arn) {
  auto kind = resource_of(scope, arn).first;
  if (kind == "cluster") throw api::ecs::ClusterNotFoundException("Cluster not found.");
  throw api::ecs::ResourceNotFoundException("The specified " + kind + " was not found.");
}

}  // namespace

EcsApi::Answer<api::ecs::TagResourceOutput> EcsApi::TagResource(const Call& call,
                                                                api::ecs::TagResourceInput input) {
  auto scope = scope_of(call);
  check_tags(input.tags);
  co_await store::transact(state_->store, [&](store::Txn& tx) {
    if (!change_tags(*state_, tx, scope, input.resourceArn, [&](Tags& tags) { merge(tags, input.tags); })) {
      not_found(scope, input.resourceArn);
    }
  });
  co_return api::ecs::TagResourceOutput{};
}

EcsApi::Answer<api::ecs::UntagResourceOutput> EcsApi::UntagResource(const Call& call,
                                                                    api::ecs::UntagResourceInput input) {
  auto scope = scope_of(call);
  auto removed = [&](const Tag& tag) {
    return std::find(input.tagKeys.begin(), input.tagKeys.end(), tag.key) != input.tagKeys.end();
  };
  co_await store::transact(state_->store, [&](store::Txn& tx) {
    if (!change_tags(*state_, tx, scope, input.resourceArn,
                     [&](Tags& tags) { std::erase_if(tags, removed); })) {
      not_found(scope, input.resourceArn);
    }
  });
  co_return api::ecs::UntagResourceOutput{};
}

EcsApi::Answer<api::ecs::ListTagsForResourceOutput> EcsApi::ListTagsForResource(
    const Call& call, api::ecs::ListTagsForResourceInput input) {
  auto scope = scope_of(call);
  Tags tags;
  store::Txn looking;  // never committed
  if (!change_tags(*state_, looking, scope, input.resourceArn, [&](Tags& found) { tags = found; })) {
    not_found(scope, input.resourceArn);
  }
  co_return api::ecs::ListTagsForResourceOutput{.tags = std::move(tags)};
}

}  // namespace sampan::ecs
