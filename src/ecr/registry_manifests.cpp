// The registry's manifests: put, get, delete; by tag or by digest.
#include <fmt/core.h>

#include "core/text.h"
#include "ecr/conditional.h"
#include "ecr/registry.h"
#include "ecr/registry_error.h"
#include "ecr/storage_class.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kMostTagParameters = 32;  // the specification wants ten at least

struct Found {
  image::Digest digest;
  std::string media_type;
};

RegistryError manifest_unknown(const RepositoryId& id, const std::string& reference) {
  return {404, "MANIFEST_UNKNOWN",
          fmt::format("Requested image not found: '{}' in the '{}' repository", reference, id.name)};
}

std::string require_tag(const std::string& reference) {
  if (image::valid_tag(reference)) return reference;
  throw RegistryError(400, "TAG_INVALID", fmt::format("'{}' is no tag", reference.substr(0, 200)));
}

// The Accept header names neither this media type nor a wildcard over it.
bool refused_by_accept(const http::Request& request, const std::string& media_type) {
  bool named = false;
  for (const auto& [name, value] : request.headers) {
    if (!core::equal_ignoring_case(name, "Accept")) continue;
    for (const auto& part : core::split(value, ',')) {
      const auto wanted = core::trim(std::string_view(part).substr(0, part.find(';')));
      if (wanted == media_type || wanted == "*/*" || wanted == "application/*") return false;
      // A client that lists some manifest types and not this one would misread it; one that lists none
      // (a browser, curl) takes what there is.
      named = named || wanted.find("manifest") != std::string_view::npos ||
              wanted.find("index") != std::string_view::npos;
    }
  }
  return named;
}

void check_accept(const http::Request& request, const std::string& media_type) {
  if (!refused_by_accept(request, media_type)) return;
  throw RegistryError(404, "MANIFEST_UNKNOWN",
                      fmt::format("The image is a {}, which the Accept header does not name", media_type));
}

// The answer to HEAD.
http::Response head_of(const Found& found, std::uint64_t size) {
  http::Response response;
  response.headers.add("Content-Type", found.media_type);
  response.headers.add("Docker-Content-Digest", found.digest.str());
  response.headers.add("ETag", '"' + found.digest.str() + '"');
  response.head_length = size;
  return response;
}

// "?tag=1.2&tag=1": names for a manifest that is pushed by its digest, whichever algorithm that is of.
std::vector<std::string> tags_of(const Query& query) {
  std::vector<std::string> tags;
  for (const auto& [name, value] : query) {
    if (name != "tag") continue;
    if (tags.size() == kMostTagParameters) {
      throw RegistryError(414, "TAG_INVALID",
                          fmt::format("A push gives at most {} tags", kMostTagParameters));
    }
    tags.push_back(require_tag(value));
  }
  return tags;
}

bool is_runnable(const image::Manifest& manifest) {
  if (!manifest.config || manifest.layers.empty()) return false;
  const auto& type = manifest.config->media_type;
  return type == image::kOciConfig || type == image::kDockerConfig;
}

}  // namespace

io::Awaitable<http::Response> Registry::put_manifest(Exchange& exchange) {
  const auto& reference = exchange.route.reference;
  const auto named = image::Digest::parse(reference);
  if (!named && reference.find(':') != std::string::npos) exchange.digest();
  auto tags = named ? tags_of(exchange.query) : std::vector<std::string>{require_tag(reference)};
  auto bytes = co_await exchange.body.read_all(image::kLargestManifest);
  const auto algorithm = named ? named->algorithm() : core::HashAlgorithm::kSha256;
  auto upload =
      ManifestUpload::read(std::move(bytes), exchange.request.headers.get("Content-Type"), algorithm);
  if (named && *named != upload.digest) throw image::DigestMismatch(*named, upload.digest);
  const auto digest = upload.digest;
  const auto subject = upload.manifest.subject;
  const bool runs = is_runnable(upload.manifest);
  const auto origin =
      exchange.replicates() ? Repositories::Origin::kReplication : Repositories::Origin::kPush;
  if (tags.empty()) tags.emplace_back();
  for (const auto& tag : tags) {
    auto sent = &tag == &tags.back() ? std::move(upload) : upload;
    auto work = repositories_.put_image(exchange.repository, std::move(sent), tag, origin);
    co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  }
  if (runs && on_push_) on_push_(digest);
  http::Response response;
  response.status = 201;
  response.headers.set("Location", "/v2/" + exchange.repository.name + "/manifests/" + digest.str());
  response.headers.set("Docker-Content-Digest", digest.str());
  if (subject) response.headers.set("OCI-Subject", subject->digest.str());
  if (named) {
    for (const auto& tag : tags) {
      if (!tag.empty()) response.headers.add("OCI-Tag", tag);
    }
  }
  co_return response;
}

io::Awaitable<http::Response> Registry::get_manifest(Exchange& exchange) {
  const auto& reference = exchange.route.reference;
  auto* repositories = &repositories_;
  const auto* id = &exchange.repository;
  const bool counts = exchange.is("GET");
  const auto* caller = exchange.visitor.caller.get();
  const bool noted = counts && (!settings_ || !caller || settings_->counts_pull(*id, caller->principal_arn));
  const auto now = repositories_.now();
  const auto look = [repositories, id, &reference, counts, noted, now]() -> std::optional<Found> {
    auto digest = image::Digest::parse(reference);
    if (!digest) digest = repositories->find_tag(*id, reference);
    const auto* row = digest ? repositories->find_image(*id, *digest) : nullptr;
    if (!row) return std::nullopt;
    if (counts && status_of(*row, now) != ImageStatus::kActive) {
      throw RegistryError(404, "MANIFEST_UNKNOWN",
                          fmt::format("The image '{}' in the '{}' repository is archived: restore it first",
                                      reference, id->name));
    }
    if (noted) repositories->note_pull(*id, *digest);
    return Found{*digest, row->media_type};
  };
  const auto found = co_await io::on_control(executors_, look);
  const auto size = found ? content_.size(found->digest) : std::nullopt;
  if (!size) throw manifest_unknown(exchange.repository, reference);
  check_accept(exchange.request, found->media_type);
  if (!counts) co_return conditional(exchange.request, head_of(*found, *size));
  ManifestCache::Entry entry{found->digest, found->media_type, {}, {}, {}};
  entry.bytes = content_.read(found->digest, image::kLargestManifest);
  auto response = head_of(*found, *size);
  response.head_length.reset();
  response.body = entry.bytes;
  boost::asio::post(executors_.control(),
                    [repositories, id = *id, reference, entry = std::move(entry)]() mutable {
                      repositories->cache_manifest(id, reference, std::move(entry));
                    });
  co_return conditional(exchange.request, std::move(response));
}

std::optional<http::Response> Registry::get_cached_manifest(const Exchange& exchange) const {
  // RFC 9111, 5.2.1.4: whoever says no-cache wants what its origin has, be it another registry.
  const auto wish = core::to_lower(exchange.request.headers.get("Cache-Control"));
  if (wish.find("no-cache") != std::string::npos) return std::nullopt;
  const bool counts = exchange.is("GET");
  const auto use = counts ? Repositories::Use::kPull : Repositories::Use::kLook;
  const auto entry = repositories_.cached_manifest(exchange.repository, exchange.route.reference, use);
  if (!entry) return std::nullopt;
  check_accept(exchange.request, entry->media_type);
  auto response = head_of({entry->digest, entry->media_type}, entry->bytes.size());
  if (counts) {
    response.head_length.reset();
    response.body = entry->bytes;
  }
  return conditional(exchange.request, std::move(response));
}

io::Awaitable<http::Response> Registry::delete_manifest(Exchange& exchange) {
  const auto& reference = exchange.route.reference;
  if (const auto digest = image::Digest::parse(reference)) {
    auto work = repositories_.remove_image(exchange.repository, *digest);
    co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  } else {
    auto work = repositories_.remove_tag(exchange.repository, require_tag(reference),
                                         Repositories::LastTag::kLeavesImage);
    co_await boost::asio::co_spawn(executors_.control(), std::move(work), boost::asio::use_awaitable);
  }
  http::Response response;
  response.status = 202;
  co_return response;
}

}  // namespace sampan::ecr
