// Another registry, as a client: manifests and blobs, with the login it asks for. One host; an object a pull.
// Plain HTTP for this machine's own addresses, HTTPS for all others.
#pragma once

#include <optional>
#include <string>

#include "http/client.h"
#include "image/content_store.h"
#include "image/manifest.h"
#include "io/executors.h"

namespace sampan::image {

struct RegistryLogin;

struct FetchedManifest {
  Digest digest;
  std::string bytes;
  std::string media_type;
};

class RegistryClient {
 public:
  RegistryClient(io::Executors& executors, std::string host, const std::optional<RegistryLogin>& login);

  // A header of every request to the registry from then on.
  void send_always(std::string name, std::string value) { always_.set(std::move(name), std::move(value)); }

  // Nothing when the registry answers that it has no such manifest; throws core::Error for all else.
  io::Awaitable<std::optional<FetchedManifest>> manifest(std::string repository, std::string reference);
  // Fetches a blob into the content store, taking it up again where it broke; checked against `digest`.
  using Progress = std::function<void(std::uint64_t done)>;
  io::Awaitable<void> blob(std::string repository, Digest digest, std::uint64_t size, ContentStore& content,
                           Progress progress);

  io::Awaitable<bool> has_blob(std::string repository, Digest digest);
  io::Awaitable<void> send_blob(std::string repository, Digest digest, const ContentStore& content);
  io::Awaitable<void> send_manifest(std::string repository, std::string reference, std::string bytes,
                                    std::string media_type);
  const std::string& host() const { return host_; }

 private:
  io::Awaitable<http::ClientResponse> ask(http::ClientRequest request, std::string scope,
                                          http::BodySink sink);
  io::Awaitable<bool> log_in(const http::ClientResponse& refused, std::string scope);
  io::Awaitable<void> fetch_token(std::string realm, std::string service, std::string scope);
  struct Transfer;
  io::Awaitable<bool> try_blob(const std::string& url, const std::string& repository, Transfer& transfer);
  std::string url(const std::string& repository, std::string_view rest) const;

  io::Executors& executors_;
  std::string host_;
  std::string base_;  // "https://host"
  std::string user_;
  std::string password_;
  http::Headers always_;
  std::string authorization_;  // "Bearer …", once asked for
};

// "http://" for localhost, 127.* and ::1, "https://" otherwise.
std::string registry_base_url(std::string_view host);

}  // namespace sampan::image
