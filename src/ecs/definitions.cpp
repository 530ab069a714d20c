// Task definitions: register, describe, deregister, delete.
#include "ecs/definition_rules.h"
#include "ecs/faults.h"
#include "ecs/service_api.h"
#include "ecs/state.h"

namespace sampan::ecs {
namespace {

constexpr std::size_t kMostDeleted = 10;
constexpr int kMostRevisions = 1'000'000;

// What DeregisterTaskDefinition and DeleteTaskDefinitions demand: a revision.
DefinitionName require_revision(const Scope& scope, const std::string& reference) {
  auto colon = reference.rfind(':');
  if (!is_arn(reference) && colon == std::string::npos) client_fault("Revision is missing.");
  auto name = parse_definition(scope, reference);
  if (!name) invalid_parameter("Invalid revision number. Number: {}", reference.substr(colon + 1));
  if (!name->revision) client_fault("Revision is missing.");
  return *name;
}

}  // namespace

EcsApi::Answer<api::ecs::RegisterTaskDefinitionOutput> EcsApi::RegisterTaskDefinition(
    const Call& call, api::ecs::RegisterTaskDefinitionInput input) {
  auto scope = scope_of(call);
  check_tags(input.tags);
  DefinitionRow row{.tags = list_or_empty(input.tags)};
  row.definition = checked_definition(std::move(input));
  row.definition.status = "ACTIVE";
  row.definition.registeredAt = call.now;
  row.definition.registeredBy = call.principal_arn;
  auto family_key = scope_key(scope) + *row.definition.family;
  co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto family = tx.get(state_->families, family_key).value_or(FamilyRow{});
    if (family.last_revision >= kMostRevisions)
      client_fault("Too many revisions of family {}.", *row.definition.family);
    int revision = ++family.last_revision;
    row.definition.revision = revision;
    row.definition.taskDefinitionArn = definition_arn(scope, *row.definition.family, revision);
    tx.put(state_->families, family_key, family);
    tx.put(state_->definitions, definition_key(scope, *row.definition.family, revision), row);
  });
  api::ecs::RegisterTaskDefinitionOutput output;
  output.taskDefinition = std::move(row.definition);
  output.tags = std::move(row.tags);
  co_return output;
}

EcsApi::Answer<api::ecs::DescribeTaskDefinitionOutput> EcsApi::DescribeTaskDefinition(
    const Call& call, api::ecs::DescribeTaskDefinitionInput input) {
  const auto* row = state_->find_definition(scope_of(call), input.taskDefinition);
  if (!row) client_fault("Unable to describe task definition.");
  api::ecs::DescribeTaskDefinitionOutput output;
  output.taskDefinition = row->definition;
  output.tags.emplace();
  if (contains(input.include, "TAGS")) output.tags = row->tags;
  co_return output;
}

EcsApi::Answer<api::ecs::DeregisterTaskDefinitionOutput> EcsApi::DeregisterTaskDefinition(
    const Call& call, api::ecs::DeregisterTaskDefinitionInput input) {
  auto scope = scope_of(call);
  auto name = require_revision(scope, input.taskDefinition);
  auto key = definition_key(scope, name.family, *name.revision);
  auto row = co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto found = tx.get(state_->definitions, key);
    if (!found || found->definition.status != "ACTIVE")
      client_fault("The specified task definition does not exist.");
    found->definition.status = "INACTIVE";
    found->definition.deregisteredAt = call.now;
    tx.put(state_->definitions, key, *found);
    return *found;
  });
  api::ecs::DeregisterTaskDefinitionOutput output;
  output.taskDefinition = std::move(row.definition);
  co_return output;
}

EcsApi::Answer<api::ecs::DeleteTaskDefinitionsOutput> EcsApi::DeleteTaskDefinitions(
    const Call& call, api::ecs::DeleteTaskDefinitionsInput input) {
  auto scope = scope_of(call);
  if (input.taskDefinitions.empty()) invalid_parameter("taskDefinitions can not be empty.");
  if (input.taskDefinitions.size() > kMostDeleted) {
    invalid_parameter("taskDefinitions can have at most {} items.", kMostDeleted);
  }
  auto output = co_await store::transact(state_->store, [&](store::Txn& tx) {
    api::ecs::DeleteTaskDefinitionsOutput out;
    out.taskDefinitions.emplace();
    out.failures.emplace();
    for (const auto& reference : input.taskDefinitions) {
      auto name = require_revision(scope, reference);
      auto key = definition_key(scope, name.family, *name.revision);
      auto arn = definition_arn(scope, name.family, *name.revision);
      auto row = tx.get(state_->definitions, key);
      if (!row) {
        out.failures->push_back({.arn = arn,
                                 .reason = "TASK_DEFINITION_NOT_FOUND",
                                 .detail = "The specified task definition does not exist."});
      } else if (row->definition.status == "ACTIVE") {
        out.failures->push_back({.arn = arn,
                                 .reason = "TASK_DEFINITION_ACTIVE",
                                 .detail = "The specified task definition is still in ACTIVE status. Please "
                                           "deregister the target and try again."});
      } else {
        row->definition.status = "DELETE_IN_PROGRESS";
        row->definition.deleteRequestedAt = call.now;
        tx.put(state_->definitions, key, *row);  // the sweep takes it when nothing uses it
        out.taskDefinitions->push_back(row->definition);
      }
    }
    return out;
  });
  co_return output;
}

}  // namespace sampan::ecs
