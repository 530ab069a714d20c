// The Secrets Manager API: values, their versions and labels.
#include <fmt/core.h>

#include <algorithm>

#include "aws/paging.h"
#include "secrets/faults.h"
#include "secrets/list_filter.h"
#include "secrets/secrets_api.h"

namespace sampan::secrets {
namespace model = api::secretsmanager;
namespace {

constexpr int kMostOfABatch = 20;

// GetSecretValueResponse and SecretValueEntry are alike.
template <class Output>
Output render_value(SecretValue found) {
  Output out;
  out.ARN = std::move(found.arn);
  out.Name = std::move(found.name);
  out.VersionId = std::move(found.version);
  (found.value.binary ? out.SecretBinary : out.SecretString) = std::move(found.value.bytes);
  out.VersionStages = std::vector<std::string>(found.row.stages.begin(), found.row.stages.end());
  out.CreatedDate = found.row.created;
  return out;
}

void check_stages(const std::vector<std::string>& stages) {
  if (stages.size() > kMostStages)
    throw model::LimitExceededException("A secret may have 20 staging labels.");
}

}  // namespace

SecretValue SecretsApi::get_value(const Scope& scope, const std::string& id, const std::string& version,
                                  const std::string& stage) const {
  const auto& secret = require_living(scope, id);
  const auto wanted = version.empty() ? version_with(secret, stage.empty() ? kCurrent : stage) : version;
  const auto found = secret.versions.find(wanted);
  if (found == secret.versions.end()) {
    const auto what =
        version.empty() ? "staging label: " + (stage.empty() ? kCurrent : stage) : "VersionId: " + version;
    throw model::ResourceNotFoundException("Secrets Manager can't find the specified secret value for " +
                                           what);
  }
  if (!version.empty() && !stage.empty() && !found->second.stages.contains(stage)) {
    invalid_request("You provided a VersionStage that is not associated to the provided VersionId.");
  }
  try {
    if (auto value = vault_.read(scope, secret, wanted)) return std::move(*value);
  } catch (const Unreadable& lost) {
    throw model::DecryptionFailure(lost.what());
  }
  throw model::ResourceNotFoundException(
      "Secrets Manager can't find the specified secret value for VersionId: " + wanted);
}

io::Awaitable<model::GetSecretValueOutput> SecretsApi::GetSecretValue(const aws::Call& call,
                                                                      model::GetSecretValueInput in) {
  const auto scope = scope_of(call);
  auto found = get_value(scope, in.SecretId, in.VersionId.value_or(""), in.VersionStage.value_or(""));
  vault_.note_access(scope, found.name, found.version);
  co_return render_value<model::GetSecretValueOutput>(std::move(found));
}

io::Awaitable<model::BatchGetSecretValueOutput> SecretsApi::BatchGetSecretValue(
    const aws::Call& call, model::BatchGetSecretValueInput in) {
  const auto scope = scope_of(call);
  if (in.SecretIdList.has_value() == in.Filters.has_value()) {
    invalid_parameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.");
  }
  if (in.SecretIdList && in.MaxResults)
    invalid_parameter(
        "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.");
  model::BatchGetSecretValueOutput out;
  std::vector<std::string> wanted;
  if (in.SecretIdList) {
    wanted = *in.SecretIdList;
  } else {
    auto page =
        aws::Page::of(in.MaxResults, in.NextToken, {.most = kMostOfABatch, .by_default = kMostOfABatch},
                      "BatchGetSecretValue:" + scope.key());
    if (!page) throw model::InvalidNextTokenException("The NextToken value is invalid.");
    const auto& secrets = vault_.secrets();
    for (auto row = secrets.lower_bound(scope.key() + page->after());
         row != secrets.end() && row->first.starts_with(scope.key()); ++row) {
      const auto& secret = row->second.value;
      const bool shown =
          !secret.goes && !version_with(secret, kCurrent).empty() && secret.name > page->after();
      if (!shown || !matches(secret, scope.region, *in.Filters)) continue;
      if (!page->take(secret.name)) break;
      wanted.push_back(secret.name);
    }
    out.NextToken = page->next_token();
  }
  auto& values = out.SecretValues.emplace();
  auto& errors = out.Errors.emplace();
  for (const auto& id : wanted) {
    try {
      auto found = get_value(scope, id, "", "");
      vault_.note_access(scope, found.name, found.version);
      values.push_back(render_value<model::SecretValueEntry>(std::move(found)));
    } catch (const aws::Fault& fault) {
      auto& error = errors.emplace_back();
      error.SecretId = id;
      error.ErrorCode = fault.code();
      error.Message = fault.what();
    }
  }
  co_return out;
}

io::Awaitable<std::string> SecretsApi::put_version(Scope scope, std::string name,
                                                   std::optional<std::string> token, Value value,
                                                   std::vector<std::string> stages,
                                                   std::function<void(SecretRow&)> more) {
  const auto version = token.value_or(vault_.new_version());
  const auto now = clock_.now();
  const auto put = [&](std::optional<SecretRow> had) -> std::optional<SecretRow> {
    if (!had) no_secret();
    if (had->goes) marked_for_deletion();
    if (had->versions.contains(version)) {
      const auto there = vault_.read(scope, *had, version);
      if (there && there->value == value) return had;  // the same request, sent once more
      throw model::ResourceExistsException(fmt::format(
          "You can't use ClientRequestToken {} because that value is already in use for a version of "
          "secret {}.",
          version, arn_of(scope, *had)));
    }
    if (more) more(*had);
    const bool first = had->versions.empty();
    had->versions[version].created = now;
    for (const auto& stage : stages) give_stage(*had, version, stage);
    if (first) give_stage(*had, version, kCurrent);
    for (const auto& gone : surplus_versions(*had)) had->versions.erase(gone);
    if (had->versions.size() > kMostVersions)
      throw model::LimitExceededException("A secret may have 100 versions.");
    had->changed = now;
    return had;
  };
  try {
    co_await vault_.change(scope, name, put, Vault::NewValue{version, value});
  } catch (const Unreadable& lost) {
    throw model::EncryptionFailure(lost.what());
  }
  co_return version;
}

io::Awaitable<model::PutSecretValueOutput> SecretsApi::PutSecretValue(const aws::Call& call,
                                                                      model::PutSecretValueInput in) {
  const auto scope = scope_of(call);
  check_token(in.ClientRequestToken);
  auto value = value_of(in.SecretString, in.SecretBinary);
  if (!value) invalid_request("You must provide either SecretString or SecretBinary.");
  const auto stages = in.VersionStages.value_or(std::vector<std::string>{kCurrent});
  check_stages(stages);
  const auto name = require_living(scope, in.SecretId).name;
  const auto version =
      co_await put_version(scope, name, in.ClientRequestToken, std::move(*value), stages, nullptr);
  const auto& secret = require(scope, name);
  model::PutSecretValueOutput out;
  out.ARN = arn_of(scope, secret);
  out.Name = secret.name;
  out.VersionId = version;
  if (const auto found = secret.versions.find(version); found != secret.versions.end()) {
    out.VersionStages = std::vector<std::string>(found->second.stages.begin(), found->second.stages.end());
  }
  co_return out;
}

io::Awaitable<model::ListSecretVersionIdsOutput> SecretsApi::ListSecretVersionIds(
    const aws::Call& call, model::ListSecretVersionIdsInput in) {
  const auto scope = scope_of(call);
  const auto& secret = require(scope, in.SecretId);
  auto page = aws::Page::of(in.MaxResults, in.NextToken, {.most = 100, .by_default = 100},
                            "ListSecretVersionIds:" + scope.key() + secret.name);
  if (!page) throw model::InvalidNextTokenException("The NextToken value is invalid.");
  model::ListSecretVersionIdsOutput out;
  out.ARN = arn_of(scope, secret);
  out.Name = secret.name;
  auto& list = out.Versions.emplace();
  for (const auto& [id, version] : secret.versions) {
    if (id <= page->after()) continue;
    if (version.stages.empty() && !in.IncludeDeprecated.value_or(false)) continue;
    if (!page->take(id)) break;
    auto& entry = list.emplace_back();
    entry.VersionId = id;
    if (!version.stages.empty()) {
      entry.VersionStages = std::vector<std::string>(version.stages.begin(), version.stages.end());
    }
    entry.CreatedDate = version.created;
    entry.LastAccessedDate = version.accessed;
  }
  out.NextToken = page->next_token();
  co_return out;
}

io::Awaitable<model::UpdateSecretVersionStageOutput> SecretsApi::UpdateSecretVersionStage(
    const aws::Call& call, model::UpdateSecretVersionStageInput in) {
  const auto scope = scope_of(call);
  const auto name = require_living(scope, in.SecretId).name;
  const auto move = [&](std::optional<SecretRow> had) -> std::optional<SecretRow> {
    if (!had) no_secret();
    const auto holder = version_with(*had, in.VersionStage);
    const auto from = in.RemoveFromVersionId.value_or("");
    for (const auto& id : {in.RemoveFromVersionId, in.MoveToVersionId}) {
      if (id && !had->versions.contains(*id)) {
        throw model::ResourceNotFoundException(
            "Secrets Manager can't find the specified secret value for VersionId: " + *id);
      }
    }
    if (!from.empty() && from != holder) {
      invalid_parameter(
          fmt::format("The staging label {} isn't currently attached to version {}.", in.VersionStage, from));
    }
    if (from.empty() && !holder.empty() && holder != in.MoveToVersionId) {
      invalid_parameter(fmt::format(
          "The parameter RemoveFromVersionId can't be empty. Staging label {} is currently attached to "
          "version {}, so you must explicitly reference that version in RemoveFromVersionId.",
          in.VersionStage, holder));
    }
    if (!in.MoveToVersionId) {
      if (in.VersionStage == kCurrent) {
        invalid_parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can't be "
            "completely removed.");
      }
      take_stage(*had, holder, in.VersionStage);
      return had;
    }
    give_stage(*had, *in.MoveToVersionId, in.VersionStage);
    check_stages(
        {had->versions[*in.MoveToVersionId].stages.begin(), had->versions[*in.MoveToVersionId].stages.end()});
    return had;
  };
  co_await vault_.change(scope, name, move);
  model::UpdateSecretVersionStageOutput out;
  out.ARN = arn_of(scope, require(scope, name));
  out.Name = name;
  co_return out;
}

}  // namespace sampan::secrets
