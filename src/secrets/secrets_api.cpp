// The Secrets Manager API: secrets themselves.
#include "secrets/secrets_api.h"

#include <fmt/core.h>

#include <algorithm>

#include "aws/arn.h"
#include "aws/paging.h"
#include "aws/tags.h"
#include "secrets/faults.h"
#include "secrets/list_filter.h"
#include "secrets/password.h"

namespace sampan::secrets {
namespace model = api::secretsmanager;
namespace {

constexpr int kShortestWindow = 7;  // days
constexpr int kLongestWindow = 30;

void check_tags(const std::vector<model::Tag>& tags, const aws::Tags& had) {
  if (const auto finding = aws::check_tags(aws::tag_pairs(tags), had)) invalid_parameter(finding->message);
}

std::map<std::string, std::vector<std::string>> stages_of(const SecretRow& secret) {
  std::map<std::string, std::vector<std::string>> stages;
  for (const auto& [id, version] : secret.versions) {
    if (!version.stages.empty()) stages[id] = {version.stages.begin(), version.stages.end()};
  }
  return stages;
}

// DescribeSecretResponse and SecretListEntry tell the same under nearly the same names.
template <class Output>
Output describe(const Scope& scope, const SecretRow& secret) {
  Output out;
  out.ARN = arn_of(scope, secret);
  out.Name = secret.name;
  if (!secret.type.empty()) out.Type = secret.type;
  if (!secret.description.empty()) out.Description = secret.description;
  if (!secret.kms_key.empty()) out.KmsKeyId = secret.kms_key;
  out.LastChangedDate = secret.changed;
  out.LastAccessedDate = secret.accessed;
  out.DeletedDate = secret.deleted;
  out.CreatedDate = secret.created;
  if (!secret.tags.empty()) out.Tags = aws::to_tag_list<model::Tag>(secret.tags);
  auto stages = stages_of(secret);
  if constexpr (requires { out.VersionIdsToStages; }) {
    if (!stages.empty()) out.VersionIdsToStages = std::move(stages);
  } else {
    if (!stages.empty()) out.SecretVersionsToStages = std::move(stages);
  }
  return out;
}

}  // namespace

const SecretRow& SecretsApi::require(const Scope& scope, const std::string& id) const {
  const auto* secret = vault_.find_secret(scope, id);
  if (!secret) no_secret();
  return *secret;
}

const SecretRow& SecretsApi::require_living(const Scope& scope, const std::string& id) const {
  const auto& secret = require(scope, id);
  if (secret.goes) marked_for_deletion();
  return secret;
}

io::Awaitable<model::CreateSecretOutput> SecretsApi::CreateSecret(const aws::Call& call,
                                                                  model::CreateSecretInput in) {
  const auto scope = scope_of(call);
  check_name(in.Name);
  check_token(in.ClientRequestToken);
  const auto value = value_of(in.SecretString, in.SecretBinary);
  if (in.AddReplicaRegions) invalid_parameter("This Sampan does not replicate secrets to other regions.");
  const auto tags = in.Tags.value_or(std::vector<model::Tag>());
  check_tags(tags, {});
  const auto version = in.ClientRequestToken.value_or(vault_.new_version());
  const auto suffix = vault_.new_suffix();
  const auto now = clock_.now();
  bool repeated = false;
  const auto make = [&](std::optional<SecretRow> had) -> std::optional<SecretRow> {
    repeated = false;
    if (had && had->goes) {
      invalid_request(
          "You can't create this secret because a secret with this name is already scheduled for deletion.");
    }
    if (had) {
      // The same request, sent once more.
      const auto there = value && in.ClientRequestToken ? vault_.read(scope, *had, version) : std::nullopt;
      repeated = there && there->value == *value;
      if (repeated) return had;
      throw model::ResourceExistsException(
          fmt::format("The operation failed because the secret {} already exists.", in.Name));
    }
    SecretRow secret;
    secret.name = in.Name;
    secret.suffix = suffix;
    secret.description = in.Description.value_or("");
    secret.kms_key = in.KmsKeyId.value_or("");
    secret.type = in.Type.value_or("");
    aws::merge_tags(secret.tags, aws::tag_pairs(tags));
    secret.created = secret.changed = now;
    if (value) secret.versions[version] = {now, {kCurrent}, {}};
    return secret;
  };
  std::optional<Vault::NewValue> sealed;
  if (value) sealed = Vault::NewValue{version, *value};
  try {
    co_await vault_.change(scope, in.Name, make, std::move(sealed));
  } catch (const Unreadable& lost) {
    throw model::EncryptionFailure(lost.what());
  }
  model::CreateSecretOutput out;
  out.ARN = arn_of(scope, require(scope, in.Name));
  out.Name = in.Name;
  if (value) out.VersionId = version;
  co_return out;
}

io::Awaitable<model::UpdateSecretOutput> SecretsApi::UpdateSecret(const aws::Call& call,
                                                                  model::UpdateSecretInput in) {
  const auto scope = scope_of(call);
  check_token(in.ClientRequestToken);
  auto value = value_of(in.SecretString, in.SecretBinary);
  const auto name = require_living(scope, in.SecretId).name;
  const auto alter = [in](SecretRow& secret) {
    if (in.Description) secret.description = *in.Description;
    if (in.KmsKeyId) secret.kms_key = *in.KmsKeyId;
    if (in.Type) secret.type = *in.Type;
  };
  model::UpdateSecretOutput out;
  if (value) {
    out.VersionId =
        co_await put_version(scope, name, in.ClientRequestToken, std::move(*value), {kCurrent}, alter);
  } else {
    co_await vault_.change(scope, name, [&](std::optional<SecretRow> had) {
      if (!had) no_secret();
      if (had->goes) marked_for_deletion();
      alter(*had);
      had->changed = clock_.now();
      return had;
    });
  }
  out.ARN = arn_of(scope, require(scope, name));
  out.Name = name;
  co_return out;
}

io::Awaitable<model::DescribeSecretOutput> SecretsApi::DescribeSecret(const aws::Call& call,
                                                                      model::DescribeSecretInput in) {
  const auto scope = scope_of(call);
  co_return describe<model::DescribeSecretOutput>(scope, require(scope, in.SecretId));
}

io::Awaitable<model::ListSecretsOutput> SecretsApi::ListSecrets(const aws::Call& call,
                                                                model::ListSecretsInput in) {
  const auto scope = scope_of(call);
  const auto by = in.SortBy.value_or("created-date");
  const bool ascending = in.SortOrder.value_or("desc") == "asc";
  const auto filters = in.Filters.value_or(Filters());
  std::vector<std::pair<std::string, const SecretRow*>> found;
  const auto& secrets = vault_.secrets();
  for (auto row = secrets.lower_bound(scope.key());
       row != secrets.end() && row->first.starts_with(scope.key()); ++row) {
    const auto& secret = row->second.value;
    if (secret.goes && !in.IncludePlannedDeletion.value_or(false)) continue;
    if (matches(secret, scope.region, filters)) found.emplace_back(sort_key(secret, by), &secret);
  }
  std::sort(found.begin(), found.end());
  if (!ascending) std::reverse(found.begin(), found.end());
  auto page = aws::Page::of(in.MaxResults, in.NextToken, {.most = 100, .by_default = 100},
                            fmt::format("ListSecrets:{}{}{}", scope.key(), by, ascending));
  if (!page) throw model::InvalidNextTokenException("The NextToken value is invalid.");
  model::ListSecretsOutput out;
  auto& list = out.SecretList.emplace();
  for (const auto& [key, secret] : found) {
    const bool before = ascending ? key <= page->after() : key >= page->after();
    if (!page->after().empty() && before) continue;
    if (!page->take(key)) break;
    list.push_back(describe<model::SecretListEntry>(scope, *secret));
  }
  out.NextToken = page->next_token();
  co_return out;
}

io::Awaitable<model::DeleteSecretOutput> SecretsApi::DeleteSecret(const aws::Call& call,
                                                                  model::DeleteSecretInput in) {
  const auto scope = scope_of(call);
  const bool force = in.ForceDeleteWithoutRecovery.value_or(false);
  if (force && in.RecoveryWindowInDays) {
    invalid_parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
  }
  const auto days = in.RecoveryWindowInDays.value_or(kLongestWindow);
  if (days < kShortestWindow || days > kLongestWindow) {
    invalid_parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
  }
  const auto now = clock_.now();
  model::DeleteSecretOutput out;
  out.DeletionDate = force ? now : now + std::chrono::days(days);
  const auto* found = vault_.find_secret(scope, in.SecretId);
  if (!found && force && !in.SecretId.starts_with("arn:")) {  // as AWS: what is gone already is gone
    out.Name = in.SecretId;
    out.ARN = aws::make_arn("secretsmanager", scope.region, scope.account,
                            "secret:" + in.SecretId + '-' + vault_.new_suffix());
    co_return out;
  }
  if (!found) no_secret();
  out.ARN = arn_of(scope, *found);
  out.Name = found->name;
  const auto name = found->name;
  co_await vault_.change(scope, name, [&](std::optional<SecretRow> had) -> std::optional<SecretRow> {
    if (!had || force) return std::nullopt;
    if (had->goes) {
      invalid_request(
          "You can't perform this operation on the secret because it was already scheduled for deletion.");
    }
    had->deleted = now;
    had->goes = now + std::chrono::days(days);
    return had;
  });
  co_return out;
}

io::Awaitable<model::RestoreSecretOutput> SecretsApi::RestoreSecret(const aws::Call& call,
                                                                    model::RestoreSecretInput in) {
  const auto scope = scope_of(call);
  const auto name = require(scope, in.SecretId).name;
  co_await vault_.change(scope, name, [](std::optional<SecretRow> had) {
    if (!had) no_secret();
    had->deleted.reset();
    had->goes.reset();
    return had;
  });
  model::RestoreSecretOutput out;
  out.ARN = arn_of(scope, require(scope, name));
  out.Name = name;
  co_return out;
}

io::Awaitable<model::TagResourceOutput> SecretsApi::TagResource(const aws::Call& call,
                                                                model::TagResourceInput in) {
  const auto scope = scope_of(call);
  const auto name = require_living(scope, in.SecretId).name;
  co_await vault_.change(scope, name, [&](std::optional<SecretRow> had) {
    if (!had) no_secret();
    check_tags(in.Tags, had->tags);
    aws::merge_tags(had->tags, aws::tag_pairs(in.Tags));
    return had;
  });
  co_return model::TagResourceOutput{};
}

io::Awaitable<model::UntagResourceOutput> SecretsApi::UntagResource(const aws::Call& call,
                                                                    model::UntagResourceInput in) {
  const auto scope = scope_of(call);
  const auto name = require_living(scope, in.SecretId).name;
  co_await vault_.change(scope, name, [&](std::optional<SecretRow> had) {
    if (!had) no_secret();
    aws::remove_tags(had->tags, in.TagKeys);
    return had;
  });
  co_return model::UntagResourceOutput{};
}

io::Awaitable<model::GetRandomPasswordOutput> SecretsApi::GetRandomPassword(
    const aws::Call&, model::GetRandomPasswordInput in) {
  PasswordWish wish;
  wish.length = static_cast<std::size_t>(in.PasswordLength.value_or(32));
  wish.excluded = in.ExcludeCharacters.value_or("");
  wish.numbers = !in.ExcludeNumbers.value_or(false);
  wish.punctuation = !in.ExcludePunctuation.value_or(false);
  wish.uppercase = !in.ExcludeUppercase.value_or(false);
  wish.lowercase = !in.ExcludeLowercase.value_or(false);
  wish.space = in.IncludeSpace.value_or(false);
  wish.each_kind = in.RequireEachIncludedType.value_or(true);
  std::string problem;
  model::GetRandomPasswordOutput out;
  out.RandomPassword = make_password(wish, ids_, problem);
  if (!out.RandomPassword) invalid_parameter(problem);
  co_return out;
}

}  // namespace sampan::secrets
