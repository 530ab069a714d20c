// The ECR API: scanning images.
#include <fmt/core.h>

#include "aws/paging.h"
#include "ecr/ecr_api.h"
#include "ecr/faults.h"
#include "ecr/scan_shapes.h"
#include "ecr/storage_class.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

ScanRulesRow to_row(const api::PutRegistryScanningConfigurationInput& in, const ScanRulesRow& before) {
  ScanRulesRow row = before;
  if (in.scanType) row.enhanced = *in.scanType == "ENHANCED";
  if (!in.rules) return row;
  row.rules.clear();
  for (const auto& given : *in.rules) {
    auto& rule = row.rules.emplace_back();
    rule.frequency = given.scanFrequency;
    for (const auto& filter : given.repositoryFilters) rule.filters.push_back(filter.filter);
  }
  return row;
}

api::ImageIdentifier identify(const image::Digest& digest, const std::optional<std::string>& tag) {
  api::ImageIdentifier id;
  id.imageDigest = digest.str();
  id.imageTag = tag;
  return id;
}

api::ScanNotFoundException no_scan(const RepositoryId& repository, const api::ImageIdentifier& image) {
  return api::ScanNotFoundException(fmt::format(
      "Image scan does not exist for the image with '{{imageDigest:'{}', imageTag:'{}'}}' in the repository "
      "with name '{}' in the registry with id '{}'",
      image.imageDigest.value_or("null"), image.imageTag.value_or("null"), repository.name,
      repository.account));
}

}  // namespace

image::Digest EcrApi::require_image(const RepositoryId& repository, const api::ImageIdentifier& image) const {
  require(repository);
  if (!image.imageDigest && !image.imageTag) {
    throw api::InvalidParameterException("Invalid request parameters: both tag and digest cannot be null");
  }
  if (const auto digest = resolve(repository, image)) return *digest;
  throw api::ImageNotFoundException(no_image_text(repository, image));
}

EcrApi::Answer<api::PutImageScanningConfigurationOutput> EcrApi::PutImageScanningConfiguration(
    const aws::Call& call, api::PutImageScanningConfigurationInput in) {
  const auto id = repository_of(call, in);
  const bool on_push = in.imageScanningConfiguration.scanOnPush.value_or(false);
  try {
    co_await repositories_.update(id, [on_push](RepositoryRow& row) { row.scan_on_push = on_push; });
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  api::PutImageScanningConfigurationOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.imageScanningConfiguration.emplace().scanOnPush = on_push;
  co_return out;
}

EcrApi::Answer<api::PutRegistryScanningConfigurationOutput> EcrApi::PutRegistryScanningConfiguration(
    const aws::Call& call, api::PutRegistryScanningConfigurationInput in) {
  auto row = to_row(in, scans_.rules(call.account, call.region));
  if (const auto problem = check_scan_rules(row)) throw api::InvalidParameterException(*problem);
  co_await scans_.set_rules(call.account, call.region, row);
  api::PutRegistryScanningConfigurationOutput out;
  out.registryScanningConfiguration = render_scan_rules(row);
  co_return out;
}

EcrApi::Answer<api::GetRegistryScanningConfigurationOutput> EcrApi::GetRegistryScanningConfiguration(
    const aws::Call& call, api::GetRegistryScanningConfigurationInput) {
  api::GetRegistryScanningConfigurationOutput out;
  out.registryId = call.account;
  out.scanningConfiguration = render_scan_rules(scans_.rules(call.account, call.region));
  co_return out;
}

EcrApi::Answer<api::BatchGetRepositoryScanningConfigurationOutput>
EcrApi::BatchGetRepositoryScanningConfiguration(const aws::Call& call,
                                                api::BatchGetRepositoryScanningConfigurationInput in) {
  api::BatchGetRepositoryScanningConfigurationOutput out;
  auto& found = out.scanningConfigurations.emplace();
  auto& failures = out.failures.emplace();
  for (const auto& name : in.repositoryNames) {
    const RepositoryId id{call.account, call.region, name};
    if (repositories_.find(id)) {
      found.push_back(render_scan_plan(id, scans_.plan(id)));
      continue;
    }
    auto& failure = failures.emplace_back();
    failure.repositoryName = name;
    failure.failureCode = "REPOSITORY_NOT_FOUND";
    failure.failureReason = no_repository_text(id);
  }
  co_return out;
}

EcrApi::Answer<api::StartImageScanOutput> EcrApi::StartImageScan(const aws::Call& call,
                                                                 api::StartImageScanInput in) {
  const auto id = repository_of(call, in);
  const auto digest = require_image(id, in.imageId);
  if (!Scans::is_scannable(*repositories_.find_image(id, digest))) {
    throw api::UnsupportedImageTypeException(
        fmt::format("The image with digest '{}' in the repository with name '{}' in the registry with id "
                    "'{}' is of a type that "
                    "cannot be scanned: it is an index or an artifact, not an image",
                    digest.str(), id.name, id.account));
  }
  if (status_of(*repositories_.find_image(id, digest), call.now) != ImageStatus::kActive) {
    throw api::ImageArchivedException(
        fmt::format("The image with digest '{}' in the repository with name '{}' in the registry with id "
                    "'{}' is archived",
                    digest.str(), id.name, id.account));
  }
  switch (co_await scans_.start_scan(id, digest)) {
    case Scans::Start::kTooSoon:
      throw api::LimitExceededException("The scan quota per image has been exceeded. Wait and try again.");
    case Scans::Start::kContinuous:
      throw api::ValidationException("This feature is disabled");  // AWS's words while scanType is ENHANCED
    case Scans::Start::kNoImage:
      throw api::ImageNotFoundException(no_image_text(id, in.imageId));
    case Scans::Start::kStarted:
      break;
  }
  api::StartImageScanOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.imageId = identify(digest, in.imageId.imageTag);
  out.imageScanStatus.emplace().status = "IN_PROGRESS";
  co_return out;
}

EcrApi::Answer<api::DescribeImageScanFindingsOutput> EcrApi::DescribeImageScanFindings(
    const aws::Call& call, api::DescribeImageScanFindingsInput in) {
  const auto id = repository_of(call, in);
  const auto digest = require_image(id, in.imageId);
  const auto* row = scans_.find(id, digest);
  if (!row) throw no_scan(id, in.imageId);
  const auto view = scans_.view(id, *row);
  // A page is of one scan: findings that a new one made have another order.
  const auto scanned = row->completed_at ? row->completed_at->time_since_epoch().count() : 0;
  auto page = aws::Page::of(in.maxResults, in.nextToken, {.most = 1000, .by_default = 100},
                            fmt::format("DescribeImageScanFindings:{}#{}", id.image_key(digest), scanned));
  if (!page) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
  }
  api::DescribeImageScanFindingsOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.imageId = identify(digest, in.imageId.imageTag);
  out.imageScanStatus = render_scan_status(view);
  if (!view.has_findings) co_return out;
  const ScannedImage image{id, digest, *repositories_.find_image(id, digest), *row,
                           scans_.rules(id.account, id.region).enhanced};
  const auto report = co_await scans_.report(id, digest);
  out.imageScanFindings = render_findings(image, *report, *page);
  out.nextToken = page->next_token();
  co_return out;
}

}  // namespace sampan::ecr
