// RunTask and StopTask.
#include "core/encoding.h"
#include "ecs/definition_rules.h"
#include "ecs/faults.h"
#include "ecs/launcher.h"
#include "ecs/service_api.h"
#include "ecs/task_reconciler.h"
#include "ecs/task_state.h"

namespace sampan::ecs {
namespace {

constexpr int kMostCount = 10;
constexpr std::size_t kMaxStartedBy = 128;
constexpr std::size_t kMaxToken = 64;
constexpr std::size_t kMaxGroup = 255;

void check_request(const api::ecs::RunTaskRequest& input) {
  int count = input.count.value_or(1);
  if (count < 1 || count > kMostCount) invalid_parameter("count must be between 1 and {}.", kMostCount);
  if (input.startedBy && input.startedBy->size() > kMaxStartedBy) {
    invalid_parameter("startedBy can have at most {} characters.", kMaxStartedBy);
  }
  if (input.clientToken && input.clientToken->size() > kMaxToken) {
    invalid_parameter("clientToken can have at most {} characters.", kMaxToken);
  }
  if (input.group && (input.group->size() > kMaxGroup || input.group->starts_with("service:"))) {
    invalid_parameter("Invalid group: it can have at most {} characters and cannot begin with 'service:'.",
                      kMaxGroup);
  }
  if (input.propagateTags == "SERVICE")
    invalid_parameter("SERVICE is not a valid value for propagateTags in RunTask.");
  if (!list_or_empty(input.volumeConfigurations).empty()) {
    client_fault("The request uses volumeConfigurations, which this Sampan cannot run.");
  }
  if (!list_or_empty(input.placementConstraints).empty() && input.launchType == "FARGATE") {
    invalid_parameter("Placement constraints are not supported with the FARGATE launch type.");
  }
  check_tags(input.tags);
}

std::vector<Tag> tags_of(const api::ecs::RunTaskRequest& input, const DefinitionRow& definition,
                         const std::string& cluster) {
  auto tags = list_or_empty(input.tags);
  if (input.propagateTags == "TASK_DEFINITION") {
    for (const auto& tag : definition.tags) {
      bool given = std::any_of(tags.begin(), tags.end(), [&](const auto& own) { return own.key == tag.key; });
      if (!given) tags.push_back(tag);
    }
  }
  if (input.enableECSManagedTags.value_or(false)) {
    tags.push_back({.key = "aws:ecs:clusterName", .value = cluster});
  }
  return tags;
}

// The same request again has the same fingerprint; the token itself is not part of it.
std::string fingerprint(api::ecs::RunTaskRequest input) {
  input.clientToken.reset();
  return core::sha256_hex(aws::json_encode(input));
}

struct Ran {
  api::ecs::RunTaskResponse response;
  std::vector<std::string> keys;
};

// What the first call with this token made; nothing: there was none.
std::optional<Ran> replay(const State& state, const TokenRow& token, const std::string& request) {
  if (token.fingerprint != request) {
    api::ecs::ConflictException conflict(
        "A request with the same client token but different parameters was made.");
    boost::json::array ids;
    for (const auto& id : token.tasks) {
      const auto* row = state.tasks.find(state.task_key(id));
      ids.push_back(boost::json::string(row ? *row->task.taskArn : id));
    }
    conflict.set_member("resourceIds", std::move(ids));
    throw conflict;
  }
  Ran ran;
  ran.response.tasks.emplace();
  ran.response.failures.emplace();
  for (const auto& id : token.tasks) {
    if (const auto* row = state.tasks.find(state.task_key(id))) ran.response.tasks->push_back(row->task);
  }
  return ran;
}

}  // namespace

EcsApi::Answer<api::ecs::RunTaskOutput> EcsApi::RunTask(const Call& call, api::ecs::RunTaskInput input) {
  check_request(input);
  auto scope = scope_of(call);
  LaunchSpec spec{.scope = scope};
  const auto& cluster = cluster_of(call, input.cluster, spec.cluster);
  const auto* definition = state_->find_definition(scope, input.taskDefinition);
  if (!definition) client_fault("TaskDefinition not found.");
  spec.definition = definition->definition;
  spec.network = input.networkConfiguration;
  launcher_->choose_capacity(spec, cluster, input.launchType, input.capacityProviderStrategy);
  auto& wish = spec.wish;
  wish.scope = scope;
  wish.cluster = spec.cluster;
  wish.platform_version = resolve_platform(input.platformVersion);
  wish.overrides = input.overrides;
  wish.group = input.group.value_or("family:" + *spec.definition.family);
  wish.started_by = input.startedBy.value_or("");
  wish.tags = tags_of(input, *definition, spec.cluster);
  wish.execute_command = input.enableExecuteCommand.value_or(false);
  launcher_->check(spec);
  if (spec.launch_type == "EC2" && launcher_->rooms(cluster_key(scope, spec.cluster)).empty()) {
    invalid_parameter("No Container Instances were found in your cluster.");
  }
  wish.digests = launcher_->resolve_images(scope, spec.definition);

  auto token_key = input.clientToken ? member_key(scope, spec.cluster, *input.clientToken) : std::string();
  auto request = input.clientToken ? fingerprint(input) : std::string();
  int count = input.count.value_or(1);
  auto ran = co_await store::transact(state_->store, [&](store::Txn& tx) {
    if (!token_key.empty()) {
      auto token = tx.get(state_->tokens, token_key);
      if (token) return *replay(*state_, *token, request);
    }
    Ran out;
    out.response.tasks.emplace();
    out.response.failures.emplace();
    auto launched = launcher_->launch(tx, spec, count, call.now);
    TokenRow token{.fingerprint = request, .made_at = call.now};
    for (auto& row : launched.tasks) {
      token.tasks.push_back(row.id);
      out.keys.push_back(member_key(row.scope, row.cluster, row.id));
      out.response.tasks->push_back(std::move(row.task));
    }
    if (launched.unplaced) out.response.failures = launched.unplaced->failures;
    if (!token_key.empty() && !token.tasks.empty()) tx.put(state_->tokens, token_key, token);
    return out;
  });
  tasks_->assign(ran.keys);
  co_return std::move(ran.response);
}

EcsApi::Answer<api::ecs::StopTaskOutput> EcsApi::StopTask(const Call& call, api::ecs::StopTaskInput input) {
  constexpr std::size_t kMaxReason = 1024;
  auto scope = scope_of(call);
  std::string cluster;
  cluster_of(call, input.cluster, cluster);
  if (input.reason && input.reason->size() > kMaxReason) {
    invalid_parameter("reason can have at most {} characters.", kMaxReason);
  }
  auto id = member_name(scope, "task", cluster, input.task);
  auto key = id ? member_key(scope, cluster, *id) : std::string();
  if (!id || !state_->tasks.find(key)) invalid_parameter("The referenced task was not found.");
  auto task = co_await store::transact(state_->store, [&](store::Txn& tx) {
    auto row = tx.get(state_->tasks, key);
    if (!row) invalid_parameter("The referenced task was not found.");
    auto reason = input.reason && !input.reason->empty() ? *input.reason : "Task stopped by user";
    if (!row->stopped() && want_stopped(*row, "UserInitiated", reason, call.now))
      tx.put(state_->tasks, key, *row);
    return row->task;
  });
  tasks_->end({key});
  co_return api::ecs::StopTaskOutput{.task = std::move(task)};
}

}  // namespace sampan::ecs
