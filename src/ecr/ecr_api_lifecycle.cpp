// The ECR API: lifecycle policies and their previews.
#include <fmt/core.h>

#include "aws/paging.h"
#include "ecr/ecr_api.h"
#include "ecr/faults.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

api::LifecyclePolicyNotFoundException no_policy(const RepositoryId& id) {
  return api::LifecyclePolicyNotFoundException(fmt::format(
      "Lifecycle policy does not exist for the repository with name '{}' in the registry with id '{}'",
      id.name, id.account));
}

std::string status_text(Preview::Status status) {
  switch (status) {
    case Preview::Status::kComplete:
      return "COMPLETE";
    case Preview::Status::kExpired:
      return "EXPIRED";
    case Preview::Status::kFailed:
      return "FAILED";
    case Preview::Status::kInProgress:
      break;
  }
  return "IN_PROGRESS";
}

void check_policy(const std::string& text) {
  try {
    parse_lifecycle_policy(text);
  } catch (const BadLifecyclePolicy& bad) {
    throw api::InvalidParameterException(lifecycle_refusal(bad));
  }
}

bool expires(const Preview::Item& item) {
  return item.action.action == LifecycleRule::Action::kExpire;
}

api::LifecyclePolicyPreviewResult result_of(const Preview::Item& item) {
  api::LifecyclePolicyPreviewResult result;
  result.imageDigest = item.action.digest.str();
  if (!item.tags.empty()) result.imageTags = item.tags;
  result.imagePushedAt = item.pushed_at;
  result.appliedRulePriority = static_cast<int>(item.action.priority);
  auto& action = result.action.emplace();
  action.type = expires(item) ? "EXPIRE" : "TRANSITION";
  if (!expires(item)) action.targetStorageClass = "ARCHIVE";
  result.storageClass = item.archived ? "ARCHIVE" : "STANDARD";
  return result;
}

// Whether one of the identifiers means the item; all do when there are none.
bool named(const std::optional<std::vector<api::ImageIdentifier>>& ids, const Preview::Item& item) {
  if (!ids || ids->empty()) return true;
  return std::any_of(ids->begin(), ids->end(), [&](const api::ImageIdentifier& id) {
    const bool digest = !id.imageDigest || *id.imageDigest == item.action.digest.str();
    const bool tag =
        !id.imageTag || std::find(item.tags.begin(), item.tags.end(), *id.imageTag) != item.tags.end();
    return digest && tag && (id.imageDigest || id.imageTag);
  });
}

bool wanted(const std::optional<api::LifecyclePolicyPreviewFilter>& filter, const Preview::Item& item) {
  const auto status = filter ? filter->tagStatus.value_or("ANY") : "ANY";
  return status == "ANY" || (status == "TAGGED") == !item.tags.empty();
}

api::LifecyclePolicyPreviewSummary summarise(const Preview& preview) {
  api::LifecyclePolicyPreviewSummary summary;
  int expiring = 0;
  int archiving = 0;
  for (const auto& item : preview.items) ++(expires(item) ? expiring : archiving);
  summary.expiringImageTotalCount = expiring;
  auto& archive = summary.transitioningImageTotalCounts.emplace().emplace_back();
  archive.targetStorageClass = "ARCHIVE";
  archive.imageTotalCount = archiving;
  return summary;
}

}  // namespace

EcrApi::Answer<api::PutLifecyclePolicyOutput> EcrApi::PutLifecyclePolicy(const aws::Call& call,
                                                                         api::PutLifecyclePolicyInput in) {
  const auto id = repository_of(call, in);
  require(id);
  check_policy(in.lifecyclePolicyText);
  try {
    co_await parts_.lifecycle.put(id, in.lifecyclePolicyText);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  api::PutLifecyclePolicyOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.lifecyclePolicyText = in.lifecyclePolicyText;
  co_return out;
}

EcrApi::Answer<api::GetLifecyclePolicyOutput> EcrApi::GetLifecyclePolicy(const aws::Call& call,
                                                                         api::GetLifecyclePolicyInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto* row = parts_.lifecycle.find(id);
  if (!row) throw no_policy(id);
  api::GetLifecyclePolicyOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.lifecyclePolicyText = row->text;
  out.lastEvaluatedAt = row->evaluated_at;
  co_return out;
}

EcrApi::Answer<api::DeleteLifecyclePolicyOutput> EcrApi::DeleteLifecyclePolicy(
    const aws::Call& call, api::DeleteLifecyclePolicyInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto row = co_await parts_.lifecycle.remove(id);
  if (!row) throw no_policy(id);
  api::DeleteLifecyclePolicyOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.lifecyclePolicyText = row->text;
  out.lastEvaluatedAt = row->evaluated_at;
  co_return out;
}

EcrApi::Answer<api::StartLifecyclePolicyPreviewOutput> EcrApi::StartLifecyclePolicyPreview(
    const aws::Call& call, api::StartLifecyclePolicyPreviewInput in) {
  const auto id = repository_of(call, in);
  require(id);
  std::string text;
  if (in.lifecyclePolicyText) {
    check_policy(*in.lifecyclePolicyText);
    text = *in.lifecyclePolicyText;
  } else if (const auto* row = parts_.lifecycle.find(id)) {
    text = row->text;
  } else {
    throw no_policy(id);
  }
  bool started = false;
  try {
    started = co_await parts_.lifecycle.start_preview(id, text);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  if (!started) {
    throw api::LifecyclePolicyPreviewInProgressException(
        fmt::format("The previous lifecycle policy preview request has not completed for the repository with "
                    "name '{}' in the "
                    "registry with id '{}'",
                    id.name, id.account));
  }
  api::StartLifecyclePolicyPreviewOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.lifecyclePolicyText = text;
  out.status = "IN_PROGRESS";
  co_return out;
}

EcrApi::Answer<api::GetLifecyclePolicyPreviewOutput> EcrApi::GetLifecyclePolicyPreview(
    const aws::Call& call, api::GetLifecyclePolicyPreviewInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto* preview = parts_.lifecycle.find_preview(id);
  if (!preview) {
    throw api::LifecyclePolicyPreviewNotFoundException(
        fmt::format("Lifecycle policy preview does not exist for the repository with name '{}' in the "
                    "registry with id '{}'",
                    id.name, id.account));
  }
  api::GetLifecyclePolicyPreviewOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.lifecyclePolicyText = preview->text;
  out.status = status_text(preview->status);
  if (preview->status != Preview::Status::kComplete) co_return out;
  auto page = aws::Page::of(in.maxResults, in.nextToken, {.most = 100, .by_default = 100},
                            "GetLifecyclePolicyPreview:" + id.key());
  if (!page) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
  }
  auto& results = out.previewResults.emplace();
  for (std::size_t at = 0; at < preview->items.size(); ++at) {
    const auto& item = preview->items[at];
    const auto key = fmt::format("{:08}", at);  // the plan's own order
    if (key <= page->after() || !named(in.imageIds, item) || !wanted(in.filter, item)) continue;
    if (!page->take(key)) break;
    results.push_back(result_of(item));
  }
  out.nextToken = page->next_token();
  out.summary = summarise(*preview);
  co_return out;
}

}  // namespace sampan::ecr
