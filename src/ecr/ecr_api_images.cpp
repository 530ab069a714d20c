// The ECR API: images.
#include <fmt/core.h>

#include <algorithm>

#include "aws/paging.h"
#include "ecr/ecr_api.h"
#include "ecr/faults.h"
#include "ecr/scan_shapes.h"
#include "ecr/storage_class.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

// Of a page: a filter that few images meet must not make one call look at all of a large repository.
constexpr std::size_t kMostLookedAt = 5000;

api::ImageIdentifier identify(const image::Digest& digest, const std::string& tag) {
  api::ImageIdentifier id;
  id.imageDigest = digest.str();
  if (!tag.empty()) id.imageTag = tag;
  return id;
}

api::ImageFailure failure(const api::ImageIdentifier& id, std::string code, std::string reason) {
  api::ImageFailure failed;
  failed.imageId = id;
  failed.failureCode = std::move(code);
  failed.failureReason = std::move(reason);
  return failed;
}

// What is wrong with an identifier before anything is looked up.
std::optional<api::ImageFailure> check_identifier(const api::ImageIdentifier& id) {
  if (!id.imageDigest && !id.imageTag) {
    return failure(id, "MissingDigestAndTag",
                   "Invalid request parameters: both tag and digest cannot be null");
  }
  if (id.imageDigest && !image::Digest::parse(*id.imageDigest)) {
    return failure(
        id, "InvalidImageDigest",
        "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'");
  }
  if (id.imageTag && !image::valid_tag(*id.imageTag)) {
    return failure(id, "InvalidImageTag",
                   "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9-_.]+'");
  }
  return std::nullopt;
}

bool status_matches(const std::optional<std::string>& wanted, bool tagged) {
  const auto status = wanted.value_or("ANY");
  return status == "ANY" || (status == "TAGGED") == tagged;
}

// Without a filter the active ones are meant.
bool is_about(const std::optional<std::string>& wanted, const ImageRow& row, core::TimePoint now) {
  const auto status = wanted.value_or("ACTIVE");
  return status == "ANY" || status == status_name(status_of(row, now));
}

api::ImageDetail detail_of(const RepositoryId& repository, const image::Digest& digest, const ImageRow& row,
                           core::TimePoint now) {
  api::ImageDetail detail;
  detail.registryId = repository.account;
  detail.repositoryName = repository.name;
  detail.imageDigest = digest.str();
  if (!row.tags.empty()) detail.imageTags = row.tags;
  detail.imageSizeInBytes = static_cast<std::int64_t>(row.size);
  detail.imagePushedAt = row.pushed_at;
  detail.imageManifestMediaType = row.media_type;
  if (!row.artifact_type.empty()) detail.artifactMediaType = row.artifact_type;
  detail.lastRecordedPullTime = row.pulled_at;
  if (row.subject) detail.subjectManifestDigest = row.subject->str();
  detail.imageStatus = std::string(status_name(status_of(row, now)));
  detail.lastArchivedAt = row.archived_at;
  if (row.activated_at && *row.activated_at <= now) detail.lastActivatedAt = row.activated_at;
  return detail;
}

[[noreturn]] void bad_token() {
  throw api::InvalidParameterException(
      "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'");
}

}  // namespace

std::optional<image::Digest> EcrApi::resolve(const RepositoryId& repository,
                                             const api::ImageIdentifier& id) const {
  auto digest = id.imageDigest ? image::Digest::parse(*id.imageDigest) : std::nullopt;
  if (id.imageTag) {
    const auto tagged = repositories_.find_tag(repository, *id.imageTag);
    if (!tagged || (digest && *tagged != *digest)) return std::nullopt;
    digest = tagged;
  }
  if (!digest || !repositories_.find_image(repository, *digest)) return std::nullopt;
  return digest;
}

EcrApi::Answer<api::ListImagesOutput> EcrApi::ListImages(const aws::Call& call, api::ListImagesInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto filter = in.filter.value_or(api::ListImagesFilter());
  auto page = aws::Page::of(
      in.maxResults, in.nextToken, {.most = 1000, .by_default = 100},
      "ListImages:" + id.key() + filter.tagStatus.value_or("") + '/' + filter.imageStatus.value_or(""));
  if (!page) bad_token();
  api::ListImagesOutput out;
  auto& found = out.imageIds.emplace();
  // Keys are "<digest>" or "<digest> <tag>": tags of one image follow each other in order.
  const auto prefix = id.key() + '@';
  const auto after = page->after();
  const auto& images = repositories_.images();
  bool room = true;
  std::size_t looked_at = 0;
  for (auto row = images.lower_bound(prefix + after.substr(0, after.find(' ')));
       room && row != images.end() && row->first.starts_with(prefix); ++row) {
    const auto digest = digest_of_key(row->first);
    const auto& tags = row->second.value.tags;
    if (!status_matches(filter.tagStatus, !tags.empty()) ||
        !is_about(filter.imageStatus, row->second.value, call.now)) {
      if (++looked_at < kMostLookedAt) continue;
      page->stop_after(digest.str());
      break;
    }
    const auto add = [&](const std::string& tag) {
      const auto key = tag.empty() ? digest.str() : digest.str() + ' ' + tag;
      if (!after.empty() && key <= after) return true;
      if (!page->take(key)) return false;
      found.push_back(identify(digest, tag));
      return true;
    };
    if (tags.empty())
      room = add("");
    else
      room = std::all_of(tags.begin(), tags.end(), add);
  }
  out.nextToken = page->next_token();
  co_return out;
}

EcrApi::Answer<api::DescribeImagesOutput> EcrApi::DescribeImages(const aws::Call& call,
                                                                 api::DescribeImagesInput in) {
  const auto id = repository_of(call, in);
  require(id);
  api::DescribeImagesOutput out;
  auto& found = out.imageDetails.emplace();
  if (in.imageIds && !in.imageIds->empty()) {
    if (in.maxResults || in.nextToken) {
      throw api::InvalidParameterException("maxResults and nextToken cannot be used with imageIds");
    }
    std::set<image::Digest> seen;
    for (const auto& wanted : *in.imageIds) {
      const auto digest = resolve(id, wanted);
      if (!digest) throw api::ImageNotFoundException(no_image_text(id, wanted));
      if (!seen.insert(*digest).second) continue;
      found.push_back(detail_of(id, *digest, *repositories_.find_image(id, *digest), call.now));
      describe_scan(scans_, id, *digest, found.back());
    }
    co_return out;
  }
  const auto filter = in.filter.value_or(api::DescribeImagesFilter());
  auto page = aws::Page::of(
      in.maxResults, in.nextToken, {.most = 1000, .by_default = 100},
      "DescribeImages:" + id.key() + filter.tagStatus.value_or("") + '/' + filter.imageStatus.value_or(""));
  if (!page) bad_token();
  const auto prefix = id.key() + '@';
  const auto& images = repositories_.images();
  std::size_t looked_at = 0;
  for (auto row = images.lower_bound(prefix + page->after());
       row != images.end() && row->first.starts_with(prefix); ++row) {
    const auto digest = digest_of_key(row->first);
    if (digest.str() <= page->after()) continue;
    if (!status_matches(filter.tagStatus, !row->second.value.tags.empty()) ||
        !is_about(filter.imageStatus, row->second.value, call.now)) {
      if (++looked_at < kMostLookedAt) continue;
      page->stop_after(digest.str());
      break;
    }
    if (!page->take(digest.str())) break;
    found.push_back(detail_of(id, digest, row->second.value, call.now));
    describe_scan(scans_, id, digest, found.back());
  }
  out.nextToken = page->next_token();
  co_return out;
}

EcrApi::Answer<api::BatchGetImageOutput> EcrApi::BatchGetImage(const aws::Call& call,
                                                               api::BatchGetImageInput in) {
  const auto id = repository_of(call, in);
  const bool cached = is_cached(id);  // its pulls may make the repository
  if (!cached) require(id);
  api::BatchGetImageOutput out;
  auto& images = out.images.emplace();
  auto& failures = out.failures.emplace();
  for (const auto& wanted : in.imageIds) {
    if (auto bad = check_identifier(wanted)) {
      failures.push_back(std::move(*bad));
      continue;
    }
    if (cached) {
      std::optional<api::Image> upstream;
      if (auto failed = co_await pull_through(id, wanted, upstream)) {
        failures.push_back(std::move(*failed));
        continue;
      }
      if (upstream) {
        images.push_back(std::move(*upstream));
        continue;
      }
    }
    const auto digest = resolve(id, wanted);
    if (!digest) {
      failures.push_back(failure(wanted, "ImageNotFound", "Requested image not found"));
      continue;
    }
    const auto* row = repositories_.find_image(id, *digest);
    if (status_of(*row, call.now) != ImageStatus::kActive) {
      failures.push_back(failure(wanted, "ImageInaccessible",
                                 "The image is archived: restore it with UpdateImageStorageClass first"));
      continue;
    }
    const auto media_type = row->media_type;
    if (in.acceptedMediaTypes && !in.acceptedMediaTypes->empty() &&
        std::find(in.acceptedMediaTypes->begin(), in.acceptedMediaTypes->end(), media_type) ==
            in.acceptedMediaTypes->end()) {
      failures.push_back(failure(wanted, "ImageNotFound", "Requested image not found"));
      continue;
    }
    if (parts_.settings.counts_pull(id, call.principal_arn)) repositories_.note_pull(id, *digest);
    const auto* content = &content_;
    const auto wanted_digest = *digest;
    auto bytes = co_await io::offload(executors_, [content, wanted_digest] {
      return content->read(wanted_digest, image::kLargestManifest);
    });
    auto& image = images.emplace_back();
    image.registryId = id.account;
    image.repositoryName = id.name;
    image.imageId = identify(wanted_digest, wanted.imageTag.value_or(""));
    image.imageManifest = std::move(bytes);
    image.imageManifestMediaType = media_type;
  }
  co_return out;
}

boost::asio::awaitable<std::optional<api::ImageFailure>> EcrApi::delete_one(
    RepositoryId repository, api::ImageIdentifier id, std::vector<api::ImageIdentifier>& gone) {
  if (auto bad = check_identifier(id)) co_return bad;
  const auto digest = resolve(repository, id);
  if (!digest) {
    const bool mismatch = id.imageTag && id.imageDigest && repositories_.find_tag(repository, *id.imageTag);
    if (mismatch) {
      co_return failure(id, "ImageTagDoesNotMatchDigest",
                        "Invalid request parameters: image tag does not match image digest");
    }
    co_return failure(id, "ImageNotFound", "Requested image not found");
  }
  const auto tags = repositories_.find_image(repository, *digest)->tags;
  std::optional<api::ImageFailure> failed;
  try {
    if (id.imageTag && (!id.imageDigest || tags.size() > 1)) {
      co_await repositories_.remove_tag(repository, *id.imageTag, Repositories::LastTag::kRemovesImage);
      gone.push_back(identify(*digest, *id.imageTag));
      co_return failed;
    }
    co_await repositories_.remove_image(repository, *digest);
    for (const auto& tag : tags) gone.push_back(identify(*digest, tag));
    if (tags.empty()) gone.push_back(identify(*digest, ""));
  } catch (const Refusal& refusal) {
    const bool held = refusal.why() == Refusal::Why::kHeldByIndex;
    failed = failure(id, held ? "ImageReferencedByManifestList" : "ImageNotFound", refusal.what());
  }
  co_return failed;
}

EcrApi::Answer<api::BatchDeleteImageOutput> EcrApi::BatchDeleteImage(const aws::Call& call,
                                                                     api::BatchDeleteImageInput in) {
  const auto id = repository_of(call, in);
  require(id);
  api::BatchDeleteImageOutput out;
  std::vector<api::ImageIdentifier> gone;
  auto& failures = out.failures.emplace();
  // In one call indexes and their images may go together, in whatever order they are named: what an index
  // holds is tried again for as long as something goes.
  auto left = std::move(in.imageIds);
  while (!left.empty()) {
    std::vector<api::ImageIdentifier> held;
    std::vector<api::ImageFailure> why;
    for (const auto& wanted : left) {
      auto failed = co_await delete_one(id, wanted, gone);
      if (!failed) continue;
      if (failed->failureCode == "ImageReferencedByManifestList") {
        held.push_back(wanted);
        why.push_back(std::move(*failed));
      } else {
        failures.push_back(std::move(*failed));
      }
    }
    if (held.size() == left.size()) {
      std::move(why.begin(), why.end(), std::back_inserter(failures));
      break;
    }
    left = std::move(held);
  }
  out.imageIds = std::move(gone);
  co_return out;
}

EcrApi::Answer<api::PutImageOutput> EcrApi::PutImage(const aws::Call& call, api::PutImageInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto tag = in.imageTag.value_or("");
  if (!tag.empty() && !image::valid_tag(tag)) {
    throw api::InvalidParameterException(
        "Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression "
        "'[a-zA-Z0-9_][a-zA-Z0-9-_.]{0,127}''");
  }
  const auto media_type = in.imageManifestMediaType.value_or("");
  std::optional<ManifestUpload> upload;
  try {
    upload = ManifestUpload::read(in.imageManifest, media_type);
  } catch (const image::BadDocument& bad) {
    throw api::InvalidParameterException(fmt::format(
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax: {}'",
        bad.what()));
  }
  const auto digest = upload->digest;
  const auto manifest_type = upload->manifest.media_type;
  if (in.imageDigest && *in.imageDigest != digest.str()) {
    throw api::ImageDigestDoesNotMatchException(
        fmt::format("The given digest '{}' does not match the digest '{}' of the image manifest",
                    *in.imageDigest, digest.str()));
  }
  auto put = Repositories::Put::kNew;
  try {
    put = co_await repositories_.put_image(id, std::move(*upload), tag);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  if (put == Repositories::Put::kUnchanged) {
    throw api::ImageAlreadyExistsException(fmt::format(
        "Image with digest '{}' and tag '{}' already exists in the repository with name '{}' in registry "
        "with id '{}'",
        digest.str(), tag.empty() ? "null" : tag, id.name, id.account));
  }
  api::PutImageOutput out;
  auto& image = out.image.emplace();
  image.registryId = id.account;
  image.repositoryName = id.name;
  image.imageId = identify(digest, tag);
  image.imageManifest = std::move(in.imageManifest);
  image.imageManifestMediaType = manifest_type;
  co_return out;
}

}  // namespace sampan::ecr
