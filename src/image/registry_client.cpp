#include "image/registry_client.h"

#include <fmt/core.h>

#include "core/encoding.h"
#include "core/log.h"
#include "image/challenge.h"
#include "image/json_fields.h"
#include "image/puller.h"

namespace sampan::image {
namespace {

constexpr int kTries = 5;
constexpr std::size_t kFlushAt = 512 * 1024;
constexpr std::size_t kLargestToken = 1024 * 1024;

std::string accepted_types() {
  return fmt::format("{}, {}, {}, {}", kOciIndex, kOciManifest, kDockerList, kDockerManifest);
}

std::string pull_scope(const std::string& repository) {
  return "repository:" + repository + ":pull";
}
std::string push_scope(const std::string& repository) {
  return "repository:" + repository + ":pull,push";
}

// What a registry says went wrong, in one line.
std::string reason(const http::ClientResponse& response) {
  auto text = fmt::format("it answered {}", response.status);
  boost::system::error_code bad;
  const auto body = boost::json::parse(response.body, bad);
  if (!bad && body.is_object()) {
    const auto* errors = body.get_object().if_contains("errors");
    if (errors && errors->is_array() && !errors->get_array().empty()) {
      return text + ' ' + boost::json::serialize(errors->get_array().front()).substr(0, 500);
    }
  }
  return text;
}

bool is_this_machine(std::string_view host) {
  const auto name =
      host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return name == "localhost" || name == "[::1]" || name.starts_with("127.") || name.ends_with(".localhost");
}

}  // namespace

std::string registry_base_url(std::string_view host) {
  return (is_this_machine(host) ? "http://" : "https://") + std::string(host);
}

RegistryClient::RegistryClient(io::Executors& executors, std::string host,
                               const std::optional<RegistryLogin>& login)
    : executors_(executors), host_(std::move(host)), base_(registry_base_url(host_)) {
  if (!login) return;
  user_ = login->user;
  password_ = login->password;
}

std::string RegistryClient::url(const std::string& repository, std::string_view rest) const {
  return fmt::format("{}/v2/{}/{}", base_, repository, rest);
}

io::Awaitable<http::ClientResponse> RegistryClient::ask(http::ClientRequest request, std::string scope,
                                                        http::BodySink sink) {
  for (const auto& [name, value] : always_) request.headers.set(name, value);
  for (bool again : {true, false}) {
    if (!authorization_.empty()) request.headers.set("Authorization", authorization_);
    http::ClientResponse response;
    if (sink)
      response = co_await http::fetch_to(request, sink);
    else
      response = co_await http::fetch(request);
    if (response.status != 401 || !again) co_return response;
    const bool admitted = co_await log_in(response, scope);
    if (!admitted) co_return response;
  }
  co_return http::ClientResponse();
}

io::Awaitable<bool> RegistryClient::log_in(const http::ClientResponse& refused, std::string scope) {
  const auto challenge = parse_challenge(refused.headers.get("WWW-Authenticate"));
  if (!challenge) co_return false;
  if (challenge->scheme == "basic" && !user_.empty()) {
    authorization_ = "Basic " + core::to_base64(user_ + ':' + password_);
    co_return true;
  }
  const auto realm = challenge->parameters.find("realm");
  if (challenge->scheme != "bearer" || realm == challenge->parameters.end()) co_return false;
  const auto service = challenge->parameters.find("service");
  const auto service_name = service == challenge->parameters.end() ? std::string() : service->second;
  co_await fetch_token(realm->second, service_name, scope);
  co_return true;
}

io::Awaitable<void> RegistryClient::fetch_token(std::string realm, std::string service, std::string scope) {
  const auto tried = "log in to registry " + host_;
  // Our password goes where the registry says: never in the clear, unless to this machine.
  const bool plain = realm.starts_with("http://");
  const auto host = std::string_view(realm).substr(std::min(realm.size(), realm.find("://") + 3));
  if (!realm.starts_with("https://") && !(plain && is_this_machine(host.substr(0, host.find('/'))))) {
    throw core::Error(tried, "it names " + realm + " for that, which is not HTTPS");
  }
  http::ClientRequest request;
  request.url =
      fmt::format("{}{}service={}&scope={}", realm, realm.find('?') == std::string::npos ? '?' : '&',
                  core::percent_encode(service), core::percent_encode(scope));
  request.max_body = kLargestToken;
  if (!user_.empty()) {
    request.headers.set("Authorization", "Basic " + core::to_base64(user_ + ':' + password_));
  }
  const auto response = co_await http::fetch(request);
  if (response.status != 200) throw core::Error(tried, reason(response));
  const auto document = parse_json_object(response.body, kLargestToken, "token of registry " + host_);
  const JsonFields fields(document.get_object(), "token of registry " + host_);
  const auto token = fields.has("token") ? fields.text("token") : fields.text("access_token");
  if (token.empty()) throw core::Error(tried, "it gave no token");
  authorization_ = "Bearer " + token;
}

io::Awaitable<std::optional<FetchedManifest>> RegistryClient::manifest(std::string repository,
                                                                       std::string reference) {
  http::ClientRequest request;
  request.url = url(repository, "manifests/" + reference);
  request.headers.set("Accept", accepted_types());
  request.max_body = kLargestManifest;
  auto response = co_await ask(request, pull_scope(repository), nullptr);
  // A registry that hides what is private answers 401 or 403 for what does not exist as well.
  if (response.status == 404) co_return std::nullopt;
  const auto tried = fmt::format("get {} of {} from registry {}", reference, repository, host_);
  if (response.status != 200) throw core::Error(tried, reason(response));
  FetchedManifest manifest{Digest::of(response.body), std::move(response.body),
                           std::string(response.headers.get("Content-Type"))};
  if (const auto wanted = Digest::parse(reference); wanted && *wanted != manifest.digest) {
    throw core::Error(tried, "what it sent has the digest " + manifest.digest.str());
  }
  co_return manifest;
}

struct RegistryClient::Transfer {
  ContentStore& content;
  std::uint64_t size;
  Progress progress;
  std::optional<BlobWriter> writer;
  std::vector<char> pending;
  std::uint64_t received = 0;  // written and pending
  std::string failure;         // of the last try
};

namespace {

io::Awaitable<void> flush(io::Executors& executors, BlobWriter& writer, std::vector<char>& pending) {
  auto* to = &writer;
  const std::span<const char> bytes(pending);
  co_await io::offload(executors, [to, bytes] { to->write(bytes); });
  pending.clear();
}

}  // namespace

// True when all bytes are there. A failure worth another try is kept in `transfer`.
io::Awaitable<bool> RegistryClient::try_blob(const std::string& url, const std::string& repository,
                                             Transfer& transfer) {
  const bool resumes = transfer.received > 0;
  http::ClientRequest request;
  request.url = url;
  if (resumes) request.headers.set("Range", fmt::format("bytes={}-", transfer.received));
  auto* executors = &executors_;
  auto* state = &transfer;
  const auto take = [executors, state](std::span<const char> bytes) -> io::Awaitable<void> {
    state->received += bytes.size();
    if (state->received > state->size)
      throw core::Error("receive it", "there is more than its manifest says");
    state->pending.insert(state->pending.end(), bytes.begin(), bytes.end());
    if (state->progress) state->progress(state->received);
    if (state->pending.size() >= kFlushAt) co_await flush(*executors, *state->writer, state->pending);
  };
  const http::BodySink sink = take;
  try {
    const auto response = co_await ask(request, pull_scope(repository), sink);
    if (response.status == 200 && resumes) {
      transfer.failure = "it sent the whole instead of the rest";
      transfer.received = transfer.size + 1;  // begin again
    } else if (response.status / 100 != 2) {
      transfer.failure = reason(response);
      if (response.status / 100 == 4 && response.status != 429)
        throw core::Error("ask for it", transfer.failure);
    }
  } catch (const http::BodyError& error) {
    transfer.failure = error.what();
  }
  co_return transfer.received == transfer.size;
}

io::Awaitable<void> RegistryClient::blob(std::string repository, Digest digest, std::uint64_t size,
                                         ContentStore& content, Progress progress) {
  const auto from = url(repository, "blobs/" + digest.str());
  Transfer transfer{content, size, std::move(progress), std::nullopt, {}, 0, {}};
  const auto tried = fmt::format("get blob {} of {} from registry {}", digest.str(), repository, host_);
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (attempt > 0) co_await io::sleep_for(std::chrono::milliseconds(200 << attempt));
    if (!transfer.writer || transfer.received > size) {
      transfer.writer.reset();
      transfer.writer.emplace(content.writer());
      transfer.received = 0;
      transfer.pending.clear();
    }
    bool whole = false;
    try {
      whole = co_await try_blob(from, repository, transfer);
    } catch (const core::Error& error) {
      // Beyond repair when it is the registry's last word or the disk's; a connection may do better next
      // time.
      transfer.failure = error.what();
      if (transfer.failure.starts_with("ask for it") || transfer.failure.starts_with("store a blob")) break;
    }
    if (!whole) {
      if (transfer.failure.empty())
        transfer.failure = fmt::format("it ended after {} bytes", transfer.received);
      core::log::info("{}: {} (try {})", tried, transfer.failure, attempt + 1);
      continue;
    }
    if (!transfer.pending.empty()) co_await flush(executors_, *transfer.writer, transfer.pending);
    auto* writer = &*transfer.writer;
    co_await io::offload(executors_, [writer, digest] { writer->finish(digest); });
    co_return;
  }
  throw core::Error(tried, transfer.failure);
}

io::Awaitable<bool> RegistryClient::has_blob(std::string repository, Digest digest) {
  http::ClientRequest request;
  request.method = "HEAD";
  request.url = url(repository, "blobs/" + digest.str());
  const auto response = co_await ask(request, push_scope(repository), nullptr);
  co_return response.status == 200;
}

io::Awaitable<void> RegistryClient::send_blob(std::string repository, Digest digest,
                                              const ContentStore& content) {
  const auto tried = fmt::format("send blob {} to {} of registry {}", digest.str(), repository, host_);
  http::ClientRequest start;
  start.method = "POST";
  start.url = url(repository, "blobs/uploads/");
  const auto started = co_await ask(start, push_scope(repository), nullptr);
  if (started.status != 202) throw core::Error(tried, reason(started));
  std::string location(started.headers.get("Location"));
  if (location.empty()) throw core::Error(tried, "it gave no place to send to");
  if (location.starts_with('/')) location = base_ + location;
  http::ClientRequest put;
  put.method = "PUT";
  put.url = fmt::format("{}{}digest={}", location, location.find('?') == std::string::npos ? '?' : '&',
                        core::percent_encode(digest.str()));
  put.headers.set("Content-Type", "application/octet-stream");
  put.body_file = content.path(digest).string();
  const auto sent = co_await ask(put, push_scope(repository), nullptr);
  if (sent.status != 201) throw core::Error(tried, reason(sent));
}

io::Awaitable<void> RegistryClient::send_manifest(std::string repository, std::string reference,
                                                  std::string bytes, std::string media_type) {
  http::ClientRequest put;
  put.method = "PUT";
  put.url = url(repository, "manifests/" + reference);
  put.headers.set("Content-Type", std::move(media_type));
  put.body = std::move(bytes);
  const auto sent = co_await ask(put, push_scope(repository), nullptr);
  if (sent.status / 100 == 2) co_return;
  throw core::Error(fmt::format("send {} to {} of registry {}", reference, repository, host_), reason(sent));
}

}  // namespace sampan::image
