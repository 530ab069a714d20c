// The ECR API over the registry's state. Handlers run on the control strand; bytes go to the blocking pool.
// What has no handler here answers NotImplemented.
#pragma once

#include <string>

#include "api/ecr.h"
#include "ecr/archived_images.h"
#include "ecr/lifecycle.h"
#include "ecr/pull_through_rules.h"
#include "ecr/registry_settings.h"
#include "ecr/replication.h"
#include "ecr/access_policies.h"
#include "ecr/repositories.h"
#include "ecr/repository_templates.h"
#include "ecr/signing.h"
#include "ecr/scans.h"
#include "ecr/tokens.h"
#include "ecr/uploads.h"
#include "io/executors.h"

namespace sampan::ecr {

class PullThrough;

class EcrApi final : public api::ecr::Service {
 public:
  // What it stands on. All must outlive it.
  struct Parts {
    io::Executors& executors;
    image::ContentStore& content;
    Repositories& repositories;
    Uploads& uploads;
    Tokens& tokens;
    RepositoryTemplates& templates;
    Lifecycle& lifecycle;
    RegistrySettings& settings;
    const ArchivedImages& archived;
    Replication& replication;
    Signing& signing;
    AccessPolicies& policies;
    Scans& scans;
    PullThroughRules& cache_rules;
    PullThrough& pull_through;
    std::string host;  // "localhost:4566", for repositoryUri and download URLs
    std::string scheme = "http";
  };
  explicit EcrApi(Parts parts);

  template <class T>
  using Answer = boost::asio::awaitable<T>;

  Answer<api::ecr::CreateRepositoryOutput> CreateRepository(const aws::Call&,
                                                            api::ecr::CreateRepositoryInput) override;
  Answer<api::ecr::DescribeRepositoriesOutput> DescribeRepositories(
      const aws::Call&, api::ecr::DescribeRepositoriesInput) override;
  Answer<api::ecr::DeleteRepositoryOutput> DeleteRepository(const aws::Call&,
                                                            api::ecr::DeleteRepositoryInput) override;
  Answer<api::ecr::PutImageTagMutabilityOutput> PutImageTagMutability(
      const aws::Call&, api::ecr::PutImageTagMutabilityInput) override;
  Answer<api::ecr::TagResourceOutput> TagResource(const aws::Call&, api::ecr::TagResourceInput) override;
  Answer<api::ecr::UntagResourceOutput> UntagResource(const aws::Call&,
                                                      api::ecr::UntagResourceInput) override;
  Answer<api::ecr::ListTagsForResourceOutput> ListTagsForResource(
      const aws::Call&, api::ecr::ListTagsForResourceInput) override;

  Answer<api::ecr::SetRepositoryPolicyOutput> SetRepositoryPolicy(const aws::Call&,
                                                                  api::ecr::SetRepositoryPolicyInput) override;
  Answer<api::ecr::GetRepositoryPolicyOutput> GetRepositoryPolicy(const aws::Call&,
                                                                  api::ecr::GetRepositoryPolicyInput) override;
  Answer<api::ecr::DeleteRepositoryPolicyOutput> DeleteRepositoryPolicy(
      const aws::Call&, api::ecr::DeleteRepositoryPolicyInput) override;
  Answer<api::ecr::PutRegistryPolicyOutput> PutRegistryPolicy(const aws::Call&,
                                                              api::ecr::PutRegistryPolicyInput) override;
  Answer<api::ecr::GetRegistryPolicyOutput> GetRegistryPolicy(const aws::Call&,
                                                              api::ecr::GetRegistryPolicyInput) override;
  Answer<api::ecr::DeleteRegistryPolicyOutput> DeleteRegistryPolicy(
      const aws::Call&, api::ecr::DeleteRegistryPolicyInput) override;

  Answer<api::ecr::GetAuthorizationTokenOutput> GetAuthorizationToken(
      const aws::Call&, api::ecr::GetAuthorizationTokenInput) override;

  Answer<api::ecr::ListImagesOutput> ListImages(const aws::Call&, api::ecr::ListImagesInput) override;
  Answer<api::ecr::DescribeImagesOutput> DescribeImages(const aws::Call&,
                                                        api::ecr::DescribeImagesInput) override;
  Answer<api::ecr::BatchGetImageOutput> BatchGetImage(const aws::Call&,
                                                      api::ecr::BatchGetImageInput) override;
  Answer<api::ecr::BatchDeleteImageOutput> BatchDeleteImage(const aws::Call&,
                                                            api::ecr::BatchDeleteImageInput) override;
  Answer<api::ecr::PutImageOutput> PutImage(const aws::Call&, api::ecr::PutImageInput) override;

  Answer<api::ecr::BatchCheckLayerAvailabilityOutput> BatchCheckLayerAvailability(
      const aws::Call&, api::ecr::BatchCheckLayerAvailabilityInput) override;
  Answer<api::ecr::InitiateLayerUploadOutput> InitiateLayerUpload(
      const aws::Call&, api::ecr::InitiateLayerUploadInput) override;
  Answer<api::ecr::UploadLayerPartOutput> UploadLayerPart(const aws::Call&,
                                                          api::ecr::UploadLayerPartInput) override;
  Answer<api::ecr::CompleteLayerUploadOutput> CompleteLayerUpload(
      const aws::Call&, api::ecr::CompleteLayerUploadInput) override;
  Answer<api::ecr::GetDownloadUrlForLayerOutput> GetDownloadUrlForLayer(
      const aws::Call&, api::ecr::GetDownloadUrlForLayerInput) override;

  Answer<api::ecr::CreateRepositoryCreationTemplateOutput> CreateRepositoryCreationTemplate(
      const aws::Call&, api::ecr::CreateRepositoryCreationTemplateInput) override;
  Answer<api::ecr::DescribeRepositoryCreationTemplatesOutput> DescribeRepositoryCreationTemplates(
      const aws::Call&, api::ecr::DescribeRepositoryCreationTemplatesInput) override;
  Answer<api::ecr::UpdateRepositoryCreationTemplateOutput> UpdateRepositoryCreationTemplate(
      const aws::Call&, api::ecr::UpdateRepositoryCreationTemplateInput) override;
  Answer<api::ecr::DeleteRepositoryCreationTemplateOutput> DeleteRepositoryCreationTemplate(
      const aws::Call&, api::ecr::DeleteRepositoryCreationTemplateInput) override;
  Answer<api::ecr::PutReplicationConfigurationOutput> PutReplicationConfiguration(
      const aws::Call&, api::ecr::PutReplicationConfigurationInput) override;
  Answer<api::ecr::DescribeRegistryOutput> DescribeRegistry(const aws::Call&,
                                                            api::ecr::DescribeRegistryInput) override;
  Answer<api::ecr::DescribeImageReplicationStatusOutput> DescribeImageReplicationStatus(
      const aws::Call&, api::ecr::DescribeImageReplicationStatusInput) override;
  Answer<api::ecr::PutSigningConfigurationOutput> PutSigningConfiguration(
      const aws::Call&, api::ecr::PutSigningConfigurationInput) override;
  Answer<api::ecr::GetSigningConfigurationOutput> GetSigningConfiguration(
      const aws::Call&, api::ecr::GetSigningConfigurationInput) override;
  Answer<api::ecr::DeleteSigningConfigurationOutput> DeleteSigningConfiguration(
      const aws::Call&, api::ecr::DeleteSigningConfigurationInput) override;
  Answer<api::ecr::DescribeImageSigningStatusOutput> DescribeImageSigningStatus(
      const aws::Call&, api::ecr::DescribeImageSigningStatusInput) override;
  Answer<api::ecr::ListImageReferrersOutput> ListImageReferrers(const aws::Call&,
                                                                api::ecr::ListImageReferrersInput) override;

  Answer<api::ecr::PutLifecyclePolicyOutput> PutLifecyclePolicy(const aws::Call&,
                                                                api::ecr::PutLifecyclePolicyInput) override;
  Answer<api::ecr::GetLifecyclePolicyOutput> GetLifecyclePolicy(const aws::Call&,
                                                                api::ecr::GetLifecyclePolicyInput) override;
  Answer<api::ecr::DeleteLifecyclePolicyOutput> DeleteLifecyclePolicy(
      const aws::Call&, api::ecr::DeleteLifecyclePolicyInput) override;
  Answer<api::ecr::StartLifecyclePolicyPreviewOutput> StartLifecyclePolicyPreview(
      const aws::Call&, api::ecr::StartLifecyclePolicyPreviewInput) override;
  Answer<api::ecr::GetLifecyclePolicyPreviewOutput> GetLifecyclePolicyPreview(
      const aws::Call&, api::ecr::GetLifecyclePolicyPreviewInput) override;

  Answer<api::ecr::UpdateImageStorageClassOutput> UpdateImageStorageClass(
      const aws::Call&, api::ecr::UpdateImageStorageClassInput) override;
  Answer<api::ecr::RegisterPullTimeUpdateExclusionOutput> RegisterPullTimeUpdateExclusion(
      const aws::Call&, api::ecr::RegisterPullTimeUpdateExclusionInput) override;
  Answer<api::ecr::DeregisterPullTimeUpdateExclusionOutput> DeregisterPullTimeUpdateExclusion(
      const aws::Call&, api::ecr::DeregisterPullTimeUpdateExclusionInput) override;
  Answer<api::ecr::ListPullTimeUpdateExclusionsOutput> ListPullTimeUpdateExclusions(
      const aws::Call&, api::ecr::ListPullTimeUpdateExclusionsInput) override;
  Answer<api::ecr::GetAccountSettingOutput> GetAccountSetting(const aws::Call&,
                                                              api::ecr::GetAccountSettingInput) override;
  Answer<api::ecr::PutAccountSettingOutput> PutAccountSetting(const aws::Call&,
                                                              api::ecr::PutAccountSettingInput) override;

  Answer<api::ecr::PutImageScanningConfigurationOutput> PutImageScanningConfiguration(
      const aws::Call&, api::ecr::PutImageScanningConfigurationInput) override;
  Answer<api::ecr::PutRegistryScanningConfigurationOutput> PutRegistryScanningConfiguration(
      const aws::Call&, api::ecr::PutRegistryScanningConfigurationInput) override;
  Answer<api::ecr::GetRegistryScanningConfigurationOutput> GetRegistryScanningConfiguration(
      const aws::Call&, api::ecr::GetRegistryScanningConfigurationInput) override;
  Answer<api::ecr::BatchGetRepositoryScanningConfigurationOutput> BatchGetRepositoryScanningConfiguration(
      const aws::Call&, api::ecr::BatchGetRepositoryScanningConfigurationInput) override;
  Answer<api::ecr::StartImageScanOutput> StartImageScan(const aws::Call&,
                                                        api::ecr::StartImageScanInput) override;
  Answer<api::ecr::DescribeImageScanFindingsOutput> DescribeImageScanFindings(
      const aws::Call&, api::ecr::DescribeImageScanFindingsInput) override;
  Answer<api::ecr::CreatePullThroughCacheRuleOutput> CreatePullThroughCacheRule(
      const aws::Call&, api::ecr::CreatePullThroughCacheRuleInput) override;
  Answer<api::ecr::DescribePullThroughCacheRulesOutput> DescribePullThroughCacheRules(
      const aws::Call&, api::ecr::DescribePullThroughCacheRulesInput) override;
  Answer<api::ecr::UpdatePullThroughCacheRuleOutput> UpdatePullThroughCacheRule(
      const aws::Call&, api::ecr::UpdatePullThroughCacheRuleInput) override;
  Answer<api::ecr::DeletePullThroughCacheRuleOutput> DeletePullThroughCacheRule(
      const aws::Call&, api::ecr::DeletePullThroughCacheRuleInput) override;
  Answer<api::ecr::ValidatePullThroughCacheRuleOutput> ValidatePullThroughCacheRule(
      const aws::Call&, api::ecr::ValidatePullThroughCacheRuleInput) override;

 private:
  bool is_cached(const RepositoryId& repository) const;  // a pull-through cache rule is about it
  // The image that the pull-through cache answers with, if it does; or why it failed.
  boost::asio::awaitable<std::optional<api::ecr::ImageFailure>> pull_through(
      RepositoryId repository, api::ecr::ImageIdentifier wanted, std::optional<api::ecr::Image>& image);
  api::ecr::Repository render(const RepositoryId& id, const RepositoryRow& row) const;
  const RepositoryRow& require(const RepositoryId& id) const;
  // The digest of the image that `id` names; nothing when there is none.
  std::optional<image::Digest> resolve(const RepositoryId& repository,
                                       const api::ecr::ImageIdentifier& id) const;
  // The digest of the image that `id` names; throws what ECR throws when the repository or it is not there.
  image::Digest require_image(const RepositoryId& repository, const api::ecr::ImageIdentifier& id) const;
  boost::asio::awaitable<std::optional<api::ecr::ImageFailure>> delete_one(
      RepositoryId repository, api::ecr::ImageIdentifier id, std::vector<api::ecr::ImageIdentifier>& gone);
  Uploads::Claim claim(const RepositoryId& repository, const std::string& upload_id);

  Parts parts_;
  io::Executors& executors_ = parts_.executors;
  image::ContentStore& content_ = parts_.content;
  Repositories& repositories_ = parts_.repositories;
  Uploads& uploads_ = parts_.uploads;
  Tokens& tokens_ = parts_.tokens;
  Scans& scans_ = parts_.scans;
  const std::string& host_ = parts_.host;
};

// The repository that an input names, of the caller's account and region unless it says a registryId.
template <class Input>
RepositoryId repository_of(const aws::Call& call, const Input& input) {
  return {input.registryId.value_or(call.account), call.region, input.repositoryName};
}

}  // namespace sampan::ecr
