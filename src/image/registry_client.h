// Another registry, as a client: manifests and blobs, with the login it asks for. One registry an object.
// What it sends is held to limits and to its digests. Thread-safe; throws RegistryFailure.
#pragma once

#include <optional>
#include <string>

#include "image/blob_download.h"
#include "image/content_store.h"
#include "image/manifest.h"
#include "image/registry_session.h"
#include "io/executors.h"

namespace sampan::image {

struct FetchedManifest {
  Digest digest;
  std::string bytes;
  std::string media_type;
};

// What a HEAD tells of a manifest.
struct ManifestHead {
  std::optional<Digest> digest;  // some registries do not say
  std::string media_type;
  std::uint64_t size = 0;
};

class RegistryClient {
 public:
  RegistryClient(io::Executors& executors, RegistryNetwork& network, RegistryAddress address,
                 std::optional<RegistryLogin> login);

  // Nothing when the registry answers that it has no such manifest.
  io::Awaitable<std::optional<FetchedManifest>> manifest(std::string repository, std::string reference,
                                                         Patience patience = {});
  io::Awaitable<std::optional<ManifestHead>> manifest_head(std::string repository, std::string reference,
                                                           Patience patience = {});
  // Fetches a blob into the content store, taking it up again where it broke; checked against its digest and
  // size. False when the registry has no such blob.
  io::Awaitable<bool> blob(std::string repository, BlobWanted wanted, ContentStore& content);
  // Its size; nothing when it is not there.
  io::Awaitable<std::optional<std::uint64_t>> blob_size(std::string repository, Digest digest);
  // That the registry answers and takes the login.
  io::Awaitable<void> check_login();

  io::Awaitable<bool> has_blob(std::string repository, Digest digest);
  io::Awaitable<void> send_blob(std::string repository, Digest digest, const ContentStore& content);
  io::Awaitable<void> send_manifest(std::string repository, std::string reference, std::string bytes,
                                    std::string media_type);
  void send_always(std::string name, std::string value) { session_.send_always(std::move(name), std::move(value)); }
  const std::string& host() const { return session_.address().host; }
  const RegistrySession& session() const { return session_; }

 private:
  std::string tried(std::string_view verb, std::string_view what, const std::string& repository) const;

  io::Executors& executors_;
  RegistrySession session_;
};

}  // namespace sampan::image
