// The ECR API: storage classes of images, pulls that do not count, account settings.
#include <fmt/format.h>

#include "aws/paging.h"
#include "ecr/ecr_api.h"
#include "ecr/faults.h"
#include "ecr/image_family.h"
#include "ecr/storage_class.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

api::ImageStorageClassUpdateNotSupportedException not_supported(const std::string& why) {
  return api::ImageStorageClassUpdateNotSupportedException(why);
}

const std::vector<std::string>& require_setting(const std::string& name) {
  if (const auto* values = RegistrySettings::values_of(name)) return *values;
  throw api::InvalidParameterException(
      "Invalid parameter at 'name' failed to satisfy constraint: 'Member must satisfy enum value set: "
      "[BASIC_SCAN_TYPE_VERSION, REGISTRY_POLICY_SCOPE, BLOB_MOUNTING]'");
}

}  // namespace

EcrApi::Answer<api::UpdateImageStorageClassOutput> EcrApi::UpdateImageStorageClass(
    const aws::Call& call, api::UpdateImageStorageClassInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto digest = resolve(id, in.imageId);
  if (!digest) throw api::ImageNotFoundException(no_image_text(id, in.imageId));
  const auto now = call.now;
  const bool to_archive = in.targetStorageClass == "ARCHIVE";
  for (const auto& parent : repositories_.index().parents(id.key(), *digest)) {
    const auto* index = repositories_.find_image(id, parent);
    if (!to_archive || !index || status_of(*index, now) == ImageStatus::kArchived) continue;
    throw not_supported(
        fmt::format("The image is referenced by the manifest list {}: archive that first", parent.str()));
  }
  const auto check = [now, to_archive](const ImageRow& row) {
    const auto status = status_of(row, now);
    if (status == (to_archive ? ImageStatus::kActive : ImageStatus::kArchived)) return;
    throw not_supported(fmt::format("The image is {}: its storage class cannot be changed to {}",
                                    status_name(status), to_archive ? "ARCHIVE" : "STANDARD"));
  };
  ImageRow after;
  try {
    after = co_await move_family(repositories_, id, *digest,
                                 to_archive ? Move::kToArchive : Move::kToStandard, now, check);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  api::UpdateImageStorageClassOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  auto& image = out.imageId.emplace();
  image.imageDigest = digest->str();
  image.imageTag = in.imageId.imageTag;
  out.imageStatus = std::string(status_name(status_of(after, now)));
  co_return out;
}

EcrApi::Answer<api::RegisterPullTimeUpdateExclusionOutput> EcrApi::RegisterPullTimeUpdateExclusion(
    const aws::Call& call, api::RegisterPullTimeUpdateExclusionInput in) {
  const auto created = co_await parts_.settings.exclude(call.account, call.region, in.principalArn);
  if (!created) {
    if (parts_.settings.full(call.account, call.region)) {
      throw api::LimitExceededException(
          fmt::format("The registry with id '{}' already has {} pull time update exclusions", call.account,
                      kMostExclusions));
    }
    throw api::ExclusionAlreadyExistsException(fmt::format(
        "A pull time update exclusion for the principal '{}' already exists in the registry with id "
        "'{}'",
        in.principalArn, call.account));
  }
  api::RegisterPullTimeUpdateExclusionOutput out;
  out.principalArn = in.principalArn;
  out.createdAt = *created;
  co_return out;
}

EcrApi::Answer<api::DeregisterPullTimeUpdateExclusionOutput> EcrApi::DeregisterPullTimeUpdateExclusion(
    const aws::Call& call, api::DeregisterPullTimeUpdateExclusionInput in) {
  if (!co_await parts_.settings.include(call.account, call.region, in.principalArn)) {
    throw api::ExclusionNotFoundException(fmt::format(
        "There is no pull time update exclusion for the principal '{}' in the registry with id '{}'",
        in.principalArn, call.account));
  }
  api::DeregisterPullTimeUpdateExclusionOutput out;
  out.principalArn = in.principalArn;
  co_return out;
}

EcrApi::Answer<api::ListPullTimeUpdateExclusionsOutput> EcrApi::ListPullTimeUpdateExclusions(
    const aws::Call& call, api::ListPullTimeUpdateExclusionsInput in) {
  const auto prefix = call.account + '/' + call.region + '/';
  auto page = aws::Page::of(in.maxResults, in.nextToken, {.most = 1000, .by_default = 100},
                            "ListPullTimeUpdateExclusions:" + prefix);
  if (!page) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
  }
  api::ListPullTimeUpdateExclusionsOutput out;
  auto& principals = out.pullTimeUpdateExclusions.emplace();
  const auto& rows = parts_.settings.exclusions();
  for (auto row = rows.lower_bound(prefix + page->after());
       row != rows.end() && row->first.starts_with(prefix); ++row) {
    auto principal = row->first.substr(prefix.size());
    if (principal <= page->after()) continue;
    if (!page->take(principal)) break;
    principals.push_back(std::move(principal));
  }
  out.nextToken = page->next_token();
  co_return out;
}

EcrApi::Answer<api::GetAccountSettingOutput> EcrApi::GetAccountSetting(const aws::Call& call,
                                                                       api::GetAccountSettingInput in) {
  require_setting(in.name);
  api::GetAccountSettingOutput out;
  out.name = in.name;
  out.value = parts_.settings.get(call.account, call.region, in.name);
  co_return out;
}

EcrApi::Answer<api::PutAccountSettingOutput> EcrApi::PutAccountSetting(const aws::Call& call,
                                                                       api::PutAccountSettingInput in) {
  const auto& values = require_setting(in.name);
  if (std::find(values.begin(), values.end(), in.value) == values.end()) {
    throw api::InvalidParameterException(fmt::format(
        "Invalid parameter at 'value' failed to satisfy constraint: 'Member must satisfy enum value "
        "set: [{}]'",
        fmt::join(values, ", ")));
  }
  co_await parts_.settings.put(call.account, call.region, in.name, in.value);
  api::PutAccountSettingOutput out;
  out.name = in.name;
  out.value = in.value;
  co_return out;
}

}  // namespace sampan::ecr
