// The ECR API: what refers to an image (signatures, bills of materials, attestations).
#include <algorithm>

#include "aws/paging.h"
#include "ecr/ecr_api.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

constexpr int kMostReferrers = 50;  // of one answer

struct Found {
  image::Digest digest;
  std::string media_type;
  std::string artifact_type;
};

bool is_wanted(const ImageRow& row, const api::ListImageReferrersFilter& filter) {
  if (!filter.artifactTypes || filter.artifactTypes->empty()) return true;
  const auto& types = *filter.artifactTypes;
  return std::find(types.begin(), types.end(), row.artifact_type) != types.end();
}

// Reads the manifest for its size and annotations. On the blocking pool.
api::ImageReferrer describe(const image::ContentStore& content, const Found& found) {
  const auto bytes = content.read(found.digest, image::kLargestManifest);
  api::ImageReferrer referrer;
  referrer.digest = found.digest.str();
  referrer.mediaType = found.media_type;
  if (!found.artifact_type.empty()) referrer.artifactType = found.artifact_type;
  referrer.size = static_cast<std::int64_t>(bytes.size());
  auto annotations = image::parse_manifest(bytes).annotations;
  if (!annotations.empty()) referrer.annotations = std::move(annotations);
  referrer.artifactStatus = "ACTIVE";
  return referrer;
}

// A page is bound to its question: the filter belongs to it.
std::string question(const RepositoryId& id, const image::Digest& subject,
                     const api::ListImageReferrersFilter& filter) {
  auto text = "ListImageReferrers:" + id.image_key(subject) + filter.artifactStatus.value_or("");
  if (!filter.artifactTypes) return text;
  for (const auto& type : *filter.artifactTypes) text += '\n' + type;
  return text;
}

}  // namespace

EcrApi::Answer<api::ListImageReferrersOutput> EcrApi::ListImageReferrers(const aws::Call& call,
                                                                         api::ListImageReferrersInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto subject = image::Digest::parse(in.subjectId.imageDigest);
  if (!subject) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'subjectId' failed to satisfy constraint: 'Invalid image digest'");
  }
  const auto filter = in.filter.value_or(api::ListImageReferrersFilter());
  auto page =
      aws::Page::of(in.maxResults, in.nextToken, {.most = kMostReferrers, .by_default = kMostReferrers},
                    question(id, *subject, filter));
  if (!page) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
  }
  const auto status = filter.artifactStatus.value_or("ACTIVE");
  const bool any_active = status == "ACTIVE" || status == "ANY";
  std::vector<Found> found;
  for (const auto& digest : repositories_.index().referrers(id.key(), *subject)) {
    const auto* row = repositories_.find_image(id, digest);
    if (!any_active || !row || digest.str() <= page->after() || !is_wanted(*row, filter)) continue;
    if (!page->take(digest.str())) break;
    found.push_back({digest, row->media_type, row->artifact_type});
  }
  api::ListImageReferrersOutput out;
  out.nextToken = page->next_token();
  const auto* content = &content_;
  const auto* rows = &found;
  out.referrers = co_await io::offload(executors_, [content, rows] {
    std::vector<api::ImageReferrer> referrers;
    for (const auto& one : *rows) referrers.push_back(describe(*content, one));
    return referrers;
  });
  co_return out;
}

}  // namespace sampan::ecr
