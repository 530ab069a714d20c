// The Secrets Manager API over the vault. Handlers run on the control strand. No rotation, no replicas, no
// resource policies: those operations answer NotImplemented.
#pragma once

#include "api/secretsmanager.h"
#include "secrets/vault.h"

namespace sampan::secrets {

class SecretsApi final : public api::secretsmanager::Service {
 public:
  // All must outlive it.
  SecretsApi(Vault& vault, core::Clock& clock, core::IdSource& ids)
      : vault_(vault), clock_(clock), ids_(ids) {}

  // secrets_api.cpp
  io::Awaitable<api::secretsmanager::CreateSecretOutput> CreateSecret(
      const aws::Call& call, api::secretsmanager::CreateSecretInput in) override;
  io::Awaitable<api::secretsmanager::UpdateSecretOutput> UpdateSecret(
      const aws::Call& call, api::secretsmanager::UpdateSecretInput in) override;
  io::Awaitable<api::secretsmanager::DescribeSecretOutput> DescribeSecret(
      const aws::Call& call, api::secretsmanager::DescribeSecretInput in) override;
  io::Awaitable<api::secretsmanager::ListSecretsOutput> ListSecrets(
      const aws::Call& call, api::secretsmanager::ListSecretsInput in) override;
  io::Awaitable<api::secretsmanager::DeleteSecretOutput> DeleteSecret(
      const aws::Call& call, api::secretsmanager::DeleteSecretInput in) override;
  io::Awaitable<api::secretsmanager::RestoreSecretOutput> RestoreSecret(
      const aws::Call& call, api::secretsmanager::RestoreSecretInput in) override;
  io::Awaitable<api::secretsmanager::TagResourceOutput> TagResource(
      const aws::Call& call, api::secretsmanager::TagResourceInput in) override;
  io::Awaitable<api::secretsmanager::UntagResourceOutput> UntagResource(
      const aws::Call& call, api::secretsmanager::UntagResourceInput in) override;
  io::Awaitable<api::secretsmanager::GetRandomPasswordOutput> GetRandomPassword(
      const aws::Call& call, api::secretsmanager::GetRandomPasswordInput in) override;

  // values_api.cpp
  io::Awaitable<api::secretsmanager::GetSecretValueOutput> GetSecretValue(
      const aws::Call& call, api::secretsmanager::GetSecretValueInput in) override;
  io::Awaitable<api::secretsmanager::BatchGetSecretValueOutput> BatchGetSecretValue(
      const aws::Call& call, api::secretsmanager::BatchGetSecretValueInput in) override;
  io::Awaitable<api::secretsmanager::PutSecretValueOutput> PutSecretValue(
      const aws::Call& call, api::secretsmanager::PutSecretValueInput in) override;
  io::Awaitable<api::secretsmanager::ListSecretVersionIdsOutput> ListSecretVersionIds(
      const aws::Call& call, api::secretsmanager::ListSecretVersionIdsInput in) override;
  io::Awaitable<api::secretsmanager::UpdateSecretVersionStageOutput> UpdateSecretVersionStage(
      const aws::Call& call, api::secretsmanager::UpdateSecretVersionStageInput in) override;

 private:
  const SecretRow& require(const Scope& scope, const std::string& id) const;  // ResourceNotFoundException
  const SecretRow& require_living(const Scope& scope,
                                  const std::string& id) const;  // InvalidRequestException too
  SecretValue get_value(const Scope& scope, const std::string& id, const std::string& version,
                        const std::string& stage) const;
  // Adds a version; nothing when that version is there with that value already. Gives the version's id.
  io::Awaitable<std::string> put_version(Scope scope, std::string name, std::optional<std::string> token,
                                         Value value, std::vector<std::string> stages,
                                         std::function<void(SecretRow&)> more);

  Vault& vault_;
  core::Clock& clock_;
  core::IdSource& ids_;
};

}  // namespace sampan::secrets
