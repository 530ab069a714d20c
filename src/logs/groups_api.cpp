#include <algorithm>

#include "core/text.h"
#include "logs/logs_api.h"
#include "logs/names.h"
#include "logs/put_rules.h"
#include "logs/token.h"

namespace sampan::logs {

namespace model = api::logs;

namespace {

constexpr int kDescribeLimit = 50;
constexpr std::size_t kTagLimit = 50;

void check_describe(const model::DescribeLogGroupsInput& input) {
  if (input.logGroupNamePrefix && input.logGroupNamePattern) {
    throw model::InvalidParameterException(
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  }
}

bool wanted(const Scope& scope, const model::DescribeLogGroupsInput& input, const GroupRow& group) {
  if (input.logGroupClass && group.group_class != *input.logGroupClass) return false;
  if (input.logGroupNamePattern) {
    const auto name = core::to_lower(group.name);
    if (name.find(core::to_lower(*input.logGroupNamePattern)) == std::string::npos) return false;
  }
  if (!input.logGroupIdentifiers) return true;
  return std::ranges::any_of(*input.logGroupIdentifiers, [&](const std::string& identifier) {
    return identifier == group.name || parse_group_arn(scope, identifier) == group.name;
  });
}

model::LogGroup describe(const Scope& scope, const GroupRow& group) {
  model::LogGroup out;
  out.logGroupName = group.name;
  out.creationTime = group.created;
  out.retentionInDays = group.retention_days;
  out.metricFilterCount = 0;
  out.arn = group_arn(scope, group.name) + ":*";
  out.logGroupArn = group_arn(scope, group.name);
  out.kmsKeyId = group.kms_key;
  out.logGroupClass = group.group_class;
  out.deletionProtectionEnabled = group.deletion_protected;
  return out;
}

std::string last_name(const std::optional<std::string>& token) {
  if (!token) return "";
  auto name = parse_name_token(*token);
  if (!name) throw model::InvalidParameterException("The specified nextToken is invalid.");
  return *name;
}

}  // namespace

Millis to_millis(core::TimePoint time) {
  return time.time_since_epoch().count();
}

io::Awaitable<model::CreateLogGroupOutput> LogsApi::CreateLogGroup(const aws::Call& call,
                                                                   model::CreateLogGroupInput input) {
  GroupRow group;
  group.name = input.logGroupName;
  group.created = to_millis(call.now);
  group.kms_key = input.kmsKeyId;
  group.deletion_protected = input.deletionProtectionEnabled.value_or(false);
  if (input.logGroupClass) group.group_class = *input.logGroupClass;
  if (input.tags) group.tags = *input.tags;
  if (group.tags.size() > kTagLimit) {
    throw model::InvalidParameterException("A resource can have no more than 50 tags.");
  }
  co_await catalog_.create_group(scope_of(call), std::move(group));
  co_return model::CreateLogGroupOutput{};
}

io::Awaitable<model::DeleteLogGroupOutput> LogsApi::DeleteLogGroup(const aws::Call& call,
                                                                   model::DeleteLogGroupInput input) {
  auto id = co_await catalog_.delete_group(scope_of(call), std::move(input.logGroupName));
  co_await io::offload(executors_, [&archive = archive_, id] { archive.remove_group(id); });
  co_return model::DeleteLogGroupOutput{};
}

io::Awaitable<model::DescribeLogGroupsOutput> LogsApi::DescribeLogGroups(
    const aws::Call& call, model::DescribeLogGroupsInput input) {
  check_describe(input);
  const auto scope = scope_of(call);
  const auto after = last_name(input.nextToken);
  const auto limit = static_cast<std::size_t>(input.limit.value_or(kDescribeLimit));

  model::DescribeLogGroupsOutput out;
  auto& groups = out.logGroups.emplace();
  std::vector<std::string> ids;
  for (const GroupRow* group : catalog_.groups(scope, input.logGroupNamePrefix.value_or(""))) {
    if (group->name <= after || !wanted(scope, input, *group)) continue;
    if (groups.size() == limit) {
      out.nextToken = render_name_token(*groups.back().logGroupName);
      break;
    }
    groups.push_back(describe(scope, *group));
    ids.push_back(group->id);
  }
  auto sizes = co_await io::offload(executors_, [&archive = archive_, ids] {
    std::vector<std::uint64_t> bytes;
    for (const auto& id : ids) bytes.push_back(archive.stored_bytes(id));
    return bytes;
  });
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i].storedBytes = static_cast<std::int64_t>(sizes[i]);
  co_return out;
}

io::Awaitable<model::PutRetentionPolicyOutput> LogsApi::PutRetentionPolicy(
    const aws::Call& call, model::PutRetentionPolicyInput input) {
  check_retention(input.retentionInDays);
  const int days = input.retentionInDays;
  co_await catalog_.update_group(scope_of(call), std::move(input.logGroupName),
                                 [days](GroupRow& group) { group.retention_days = days; });
  co_return model::PutRetentionPolicyOutput{};
}

io::Awaitable<model::DeleteRetentionPolicyOutput> LogsApi::DeleteRetentionPolicy(
    const aws::Call& call, model::DeleteRetentionPolicyInput input) {
  co_await catalog_.update_group(scope_of(call), std::move(input.logGroupName),
                                 [](GroupRow& group) { group.retention_days.reset(); });
  co_return model::DeleteRetentionPolicyOutput{};
}

io::Awaitable<model::PutLogGroupDeletionProtectionOutput> LogsApi::PutLogGroupDeletionProtection(
    const aws::Call& call, model::PutLogGroupDeletionProtectionInput input) {
  const auto scope = scope_of(call);
  const bool on = input.deletionProtectionEnabled;
  auto name = required_group(scope, std::nullopt, input.logGroupIdentifier);
  co_await catalog_.update_group(scope, std::move(name),
                                 [on](GroupRow& group) { group.deletion_protected = on; });
  co_return model::PutLogGroupDeletionProtectionOutput{};
}

}  // namespace sampan::logs
