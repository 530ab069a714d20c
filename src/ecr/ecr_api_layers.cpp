// The ECR API: layers, sent and fetched without the registry's own wire.
#include <fmt/core.h>

#include "core/encoding.h"
#include "ecr/ecr_api.h"
#include "ecr/pull_through.h"
#include "ecr/faults.h"

namespace sampan::ecr {
namespace api = sampan::api::ecr;
namespace {

constexpr std::int64_t kPartSize = 10 * 1024 * 1024;      // what InitiateLayerUpload suggests
constexpr std::uint64_t kSmallestPart = 5 * 1024 * 1024;  // but for the last
constexpr char kLayerMediaType[] = "application/vnd.docker.image.rootfs.diff.tar.gzip";

api::LayerFailure layer_failure(const std::string& digest, std::string code, std::string reason) {
  api::LayerFailure failed;
  failed.layerDigest = digest;
  failed.failureCode = std::move(code);
  failed.failureReason = std::move(reason);
  return failed;
}

template <class Fault>
Fault upload_fault(const RepositoryId& id, const std::string& upload, const std::string& message) {
  Fault fault(message);
  fault.set_member("registryId", boost::json::string(id.account));
  fault.set_member("repositoryName", boost::json::string(id.name));
  fault.set_member("uploadId", boost::json::string(upload));
  return fault;
}

api::UploadNotFoundException no_upload(const RepositoryId& id, const std::string& upload) {
  return api::UploadNotFoundException(fmt::format(
      "The upload with id '{}' does not exist in the repository with name '{}' in the registry with id '{}'",
      upload, id.name, id.account));
}

}  // namespace

EcrApi::Answer<api::BatchCheckLayerAvailabilityOutput> EcrApi::BatchCheckLayerAvailability(
    const aws::Call& call, api::BatchCheckLayerAvailabilityInput in) {
  const auto id = repository_of(call, in);
  require(id);
  api::BatchCheckLayerAvailabilityOutput out;
  auto& layers = out.layers.emplace();
  auto& failures = out.failures.emplace();
  for (const auto& text : in.layerDigests) {
    const auto digest = image::Digest::parse(text);
    if (!digest) {
      failures.push_back(layer_failure(text, "InvalidLayerDigest",
                                       "Invalid request parameters: layer digest should satisfy the regex "
                                       "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"));
      continue;
    }
    std::optional<std::uint64_t> size;
    if (repositories_.has_blob(id, *digest)) size = co_await repositories_.size_of(*digest);
    auto& layer = layers.emplace_back();
    layer.layerDigest = text;
    layer.layerAvailability = size ? "AVAILABLE" : "UNAVAILABLE";
    if (!size) continue;
    if (parts_.archived.hides(id, *digest)) layer.layerAvailability = "ARCHIVED";
    layer.layerSize = static_cast<std::int64_t>(*size);
    layer.mediaType = kLayerMediaType;
  }
  co_return out;
}

Uploads::Claim EcrApi::claim(const RepositoryId& repository, const std::string& upload_id) {
  auto problem = Uploads::Problem::kNone;
  auto claimed = uploads_.claim(repository, upload_id, problem);
  if (problem == Uploads::Problem::kBusy) {
    throw api::InvalidParameterException("Another request is sending to this upload");
  }
  if (!claimed) throw no_upload(repository, upload_id);
  return std::move(*claimed);
}

EcrApi::Answer<api::InitiateLayerUploadOutput> EcrApi::InitiateLayerUpload(const aws::Call& call,
                                                                           api::InitiateLayerUploadInput in) {
  const auto id = repository_of(call, in);
  try {
    co_await parts_.templates.require_for_push(id);
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  auto* uploads = &uploads_;
  auto claimed = co_await io::offload(executors_, [uploads, id] { return uploads->start(id); });
  if (!claimed) throw api::LimitExceededException("Too many uploads are under way");
  api::InitiateLayerUploadOutput out;
  out.uploadId = (*claimed)->id;
  out.partSize = kPartSize;
  co_return out;
}

EcrApi::Answer<api::UploadLayerPartOutput> EcrApi::UploadLayerPart(const aws::Call& call,
                                                                   api::UploadLayerPartInput in) {
  const auto id = repository_of(call, in);
  require(id);
  auto upload = claim(id, in.uploadId);
  const auto size = upload->writer.size();
  const auto first = static_cast<std::uint64_t>(in.partFirstByte);
  const auto last = static_cast<std::uint64_t>(in.partLastByte);
  if (first != size || last + 1 != first + in.layerPartBlob.size()) {
    auto fault = upload_fault<api::InvalidLayerPartException>(
        id, in.uploadId,
        fmt::format(
            "Received layer part for byte range {}-{}, but the next part must begin at byte {} and have as "
            "many bytes as its range",
            first, last, size));
    fault.set_member("lastValidByteReceived", static_cast<std::int64_t>(size) - 1);
    throw fault;
  }
  if (size > 0 && upload->last_part < kSmallestPart) upload->has_small_part = true;
  auto* writer = &upload->writer;
  const auto* bytes = &in.layerPartBlob;
  try {
    co_await io::offload(executors_, [writer, bytes] { writer->write(*bytes); });
  } catch (const core::Error&) {
    upload.drop();  // it may have a part of the part
    throw;
  }
  upload->last_part = in.layerPartBlob.size();
  api::UploadLayerPartOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.uploadId = in.uploadId;
  out.lastByteReceived = static_cast<std::int64_t>(last);
  co_return out;
}

EcrApi::Answer<api::CompleteLayerUploadOutput> EcrApi::CompleteLayerUpload(const aws::Call& call,
                                                                           api::CompleteLayerUploadInput in) {
  const auto id = repository_of(call, in);
  require(id);
  auto upload = claim(id, in.uploadId);
  if (upload->writer.size() == 0) {
    throw api::EmptyUploadException(fmt::format("The upload with id '{}' has no parts", in.uploadId));
  }
  if (upload->has_small_part) {
    throw api::LayerPartTooSmallException("Layer parts must be at least 5 MiB in size.");
  }
  std::optional<image::Digest> wanted;
  for (const auto& text : in.layerDigests) {
    if (auto digest = image::Digest::parse(text)) wanted = digest;
  }
  if (!wanted) throw api::InvalidLayerException("The layer digest is no digest: sha256 and sha512 are known");
  if (repositories_.has_blob(id, *wanted) && co_await repositories_.size_of(*wanted)) {
    throw api::LayerAlreadyExistsException(fmt::format(
        "Layer with digest '{}' already exists in the repository with name '{}' in the registry with id '{}'",
        wanted->str(), id.name, id.account));
  }
  upload.drop();
  auto* writer = &upload->writer;
  const auto digest = *wanted;
  try {
    co_await io::offload(executors_, [writer, digest] { writer->finish(digest); });
    co_await repositories_.link_blob(id, digest);
  } catch (const image::DigestMismatch& mismatch) {
    throw api::InvalidLayerException(mismatch.what());
  } catch (const Refusal& refusal) {
    throw_fault(refusal);
  }
  api::CompleteLayerUploadOutput out;
  out.registryId = id.account;
  out.repositoryName = id.name;
  out.uploadId = in.uploadId;
  out.layerDigest = digest.str();
  co_return out;
}

EcrApi::Answer<api::GetDownloadUrlForLayerOutput> EcrApi::GetDownloadUrlForLayer(
    const aws::Call& call, api::GetDownloadUrlForLayerInput in) {
  const auto id = repository_of(call, in);
  require(id);
  const auto digest = image::Digest::parse(in.layerDigest);
  const bool comes = digest && parts_.pull_through.awaited_blob(id, *digest);  // the URL waits for it
  if (!digest || (!comes && !repositories_.has_blob(id, *digest))) {
    throw api::LayersNotFoundException(fmt::format(
        "The layer with digest '{}' does not exist in the repository with name '{}' in the registry with "
        "id '{}'",
        in.layerDigest, id.name, id.account));
  }
  if (parts_.archived.hides(id, *digest)) {
    throw api::LayerInaccessibleException(fmt::format(
        "The layer with digest '{}' belongs to archived images of the repository with name '{}' only: "
        "restore one with UpdateImageStorageClass first",
        in.layerDigest, id.name));
  }
  TokenClaims claims{id.account, id.region, call.access_key, id.name + '@' + digest->str(),
                     call.now + kUrlLife};
  const auto token = co_await tokens_.sign(claims);
  api::GetDownloadUrlForLayerOutput out;
  out.downloadUrl = fmt::format("{}://{}/v2/{}/blobs/{}?X-Sampan-Token={}", parts_.scheme, host_, id.name, digest->str(),
                                core::percent_encode(token));
  out.layerDigest = digest->str();
  co_return out;
}

}  // namespace sampan::ecr
