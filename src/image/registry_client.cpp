#include "image/registry_client.h"

#include <fmt/core.h>

#include "core/encoding.h"
#include "core/text.h"

namespace sampan::image {
namespace {

constexpr std::size_t kLargestError = 1024 * 1024;

std::string accepted_types() {
  return fmt::format("{}, {}, {}, {}, */*;q=0.1", kOciIndex, kOciManifest, kDockerList, kDockerManifest);
}

std::string pull_scope(const std::string& repository) {
  return "repository:" + repository + ":pull";
}
std::string push_scope(const std::string& repository) {
  return "repository:" + repository + ":pull,push";
}

http::ClientRequest request_of(std::string method, const std::string& repository, const std::string& rest) {
  http::ClientRequest request;
  request.method = std::move(method);
  request.url = fmt::format("/v2/{}/{}", repository, rest);
  request.max_body = kLargestError;
  return request;
}

http::ClientRequest manifest_request(std::string method, const std::string& repository,
                                     const std::string& reference, const Patience& patience) {
  auto request = request_of(std::move(method), repository, "manifests/" + reference);
  request.headers.set("Accept", accepted_types());
  request.max_body = kLargestManifest;
  request.total_time = 4 * patience.timeout;  // a few megabytes at most, however slowly they drip
  return request;
}

std::string media_type_of(const http::ClientResponse& response) {
  const auto type = response.headers.get("Content-Type");
  return std::string(core::trim(type.substr(0, type.find(';'))));
}

RegistryFailure wrong(const std::string& tried, const std::string& why) {
  return {RegistryFailure::Kind::kWrong, tried, why};
}

// A manifest's digest: as it was asked for, else as the registry names it, if that is true.
Digest name_of(const std::string& bytes, const std::string& reference, const http::ClientResponse& response,
               const std::string& tried) {
  auto named = Digest::parse(reference);
  if (!named) named = Digest::parse(response.headers.get("Docker-Content-Digest"));
  if (!named) return Digest::of(bytes);
  auto digest = Digest::of(bytes, named->algorithm());
  if (digest != *named) {
    throw wrong(tried,
                fmt::format("it is named {}, but what came has the digest {}", named->str(), digest.str()));
  }
  return digest;
}

}  // namespace

RegistryClient::RegistryClient(io::Executors& executors, RegistryNetwork& network, RegistryAddress address,
                               std::optional<RegistryLogin> login)
    : executors_(executors), session_(network, std::move(address), std::move(login)) {}

std::string RegistryClient::tried(std::string_view verb, std::string_view what,
                                  const std::string& repository) const {
  return fmt::format("{} {} of {} from registry {}", verb, what, repository, host());
}

io::Awaitable<std::optional<FetchedManifest>> RegistryClient::manifest(std::string repository,
                                                                       std::string reference,
                                                                       Patience patience) {
  const auto what = tried("get", reference, repository);
  auto response = co_await session_.ask(manifest_request("GET", repository, reference, patience),
                                        pull_scope(repository), what, patience);
  if (response.status == 404) co_return std::nullopt;
  if (response.status != 200) throw wrong(what, reason_of(response));
  auto digest = name_of(response.body, reference, response, what);
  co_return FetchedManifest{std::move(digest), std::move(response.body), media_type_of(response)};
}

io::Awaitable<std::optional<ManifestHead>> RegistryClient::manifest_head(std::string repository,
                                                                         std::string reference,
                                                                         Patience patience) {
  const auto what = tried("look for", reference, repository);
  const auto response = co_await session_.ask(manifest_request("HEAD", repository, reference, patience),
                                              pull_scope(repository), what, patience);
  if (response.status == 404) co_return std::nullopt;
  if (response.status != 200) throw wrong(what, reason_of(response));
  const auto size = core::parse_int(response.headers.get("Content-Length")).value_or(0);
  co_return ManifestHead{Digest::parse(response.headers.get("Docker-Content-Digest")),
                         media_type_of(response),
                         static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0))};
}

io::Awaitable<bool> RegistryClient::blob(std::string repository, BlobWanted wanted, ContentStore& content) {
  const auto what = tried("get blob", wanted.digest.str(), repository);
  const auto request = request_of("GET", repository, "blobs/" + wanted.digest.str());
  BlobDownload download(executors_, session_, content, std::move(wanted));
  co_return co_await download.run(request, pull_scope(repository), what);
}

io::Awaitable<std::optional<std::uint64_t>> RegistryClient::blob_size(std::string repository, Digest digest) {
  const auto what = tried("look for blob", digest.str(), repository);
  const auto response = co_await session_.ask(request_of("HEAD", repository, "blobs/" + digest.str()),
                                              pull_scope(repository), what);
  if (response.status != 200) co_return std::nullopt;
  const auto size = core::parse_int(response.headers.get("Content-Length"));
  if (!size || *size < 0) co_return std::nullopt;
  co_return static_cast<std::uint64_t>(*size);
}

io::Awaitable<void> RegistryClient::check_login() {
  http::ClientRequest request;
  request.url = "/v2/";
  request.max_body = kLargestError;
  const auto what = "ask registry " + host() + " whether it takes the login";
  const auto response = co_await session_.ask(request, "", what, {.tries = 2});
  if (response.status != 200) throw wrong(what, reason_of(response));
}

io::Awaitable<bool> RegistryClient::has_blob(std::string repository, Digest digest) {
  const auto response =
      co_await session_.ask(request_of("HEAD", repository, "blobs/" + digest.str()), push_scope(repository),
                            tried("look for blob", digest.str(), repository));
  co_return response.status == 200;
}

io::Awaitable<void> RegistryClient::send_blob(std::string repository, Digest digest,
                                              const ContentStore& content) {
  const auto what = fmt::format("send blob {} to {} of registry {}", digest.str(), repository, host());
  const auto started =
      co_await session_.ask(request_of("POST", repository, "blobs/uploads/"), push_scope(repository), what);
  if (started.status != 202) throw wrong(what, reason_of(started));
  const std::string location(started.headers.get("Location"));
  if (location.empty()) throw wrong(what, "it gave no place to send to");
  http::ClientRequest put;
  put.method = "PUT";
  put.url = fmt::format("{}{}digest={}", location, location.find('?') == std::string::npos ? '?' : '&',
                        core::percent_encode(digest.str()));
  put.headers.set("Content-Type", "application/octet-stream");
  put.body_file = content.path(digest).string();
  const auto sent = co_await session_.ask(put, push_scope(repository), what);
  if (sent.status != 201) throw wrong(what, reason_of(sent));
}

io::Awaitable<void> RegistryClient::send_manifest(std::string repository, std::string reference,
                                                  std::string bytes, std::string media_type) {
  const auto what = fmt::format("send {} to {} of registry {}", reference, repository, host());
  auto put = request_of("PUT", repository, "manifests/" + reference);
  put.headers.set("Content-Type", std::move(media_type));
  put.body = std::move(bytes);
  const auto sent = co_await session_.ask(put, push_scope(repository), what);
  if (sent.status / 100 != 2) throw wrong(what, reason_of(sent));
}

}  // namespace sampan::image
