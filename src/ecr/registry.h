// The OCI registry under /v2/ (OCI distribution 1.1 and Docker's schema 2): pull, push, discovery,
// management.
//
// Runs on the network executor; state is asked for on the control strand, bytes are written on the blocking
// pool and sent by the server from the file. Memory does not depend on the size of a blob.
// A blob is shown only through a repository that has it. A manifest is acknowledged when everything it names
// is in its repository, it is itself in the content store, and its row is durable.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ecr/access.h"
#include "ecr/actions.h"
#include "ecr/login.h"
#include "ecr/registry_settings.h"
#include "ecr/repositories.h"
#include "ecr/repository_templates.h"
#include "ecr/route.h"
#include "ecr/uploads.h"
#include "http/message.h"
#include "image/content_store.h"
#include "io/executors.h"

namespace sampan::ecr {

inline constexpr std::uint64_t kLargestBlob = 52'000ull << 20;  // ECR's quota: 52,000 MiB a layer

class PullThrough;

class Registry {
 public:
  // All must outlive this.
  Registry(io::Executors& executors, image::ContentStore& content, Repositories& repositories,
           Uploads& uploads, const Login& login);
  // Told of each image (not index, not artifact) that a push has made whole, on a network thread; before the
  // server runs. To unpack it ahead of its first task: image::Images::place_later.
  void on_push(std::function<void(const image::Digest&)> listener) { on_push_ = std::move(listener); }
  // A push to a repository that is not there makes it where a template says so. Before the server runs.
  void create_on_push(RepositoryTemplates& templates) { templates_ = &templates; }
  // Which pulls count, whether blobs may be mounted. Before the server runs; without it all do.
  void use_settings(const RegistrySettings& settings) { settings_ = &settings; }
  // Holds every request to what its sender may do; without it everybody who is known may do everything.
  // Before the server runs; outlives this.
  void authorize_with(const Access& access) { access_ = &access; }
  // Pulls of what is not here go through to the upstreams of the cache's rules. Before the server runs.
  void pull_through(PullThrough& cache) { pull_through_ = &cache; }
  // Gives tokens of narrower scope to who asks with credentials: GET or POST /v2/token. Before the server runs.
  void issue_tokens(Tokens& tokens) { issuer_ = &tokens; }
  // Answers requests whose path is /v2 or begins with /v2/.
  io::Awaitable<http::Response> handle(http::Request& request, http::BodyReader& body);

 private:
  struct Exchange {
    http::Request& request;
    http::BodyReader& body;
    Route route;
    RepositoryId repository;
    Query query;
    Visitor visitor;

    bool is(std::string_view method) const { return request.method == method; }
    std::string param(std::string_view name) const;  // "" when absent
    image::Digest digest() const;                    // route.reference; throws DIGEST_INVALID
    bool begins_push() const;                        // an upload, a mount, a manifest
    bool replicates() const;                         // another Sampan's replication sends it
  };
  io::Awaitable<http::Response> dispatch(http::Request& request, http::BodyReader& body);
  io::Awaitable<http::Response> route(Exchange& exchange);
  // The one place where is asked whether the visitor may. Throws RegistryError 403.
  void authorize(const Exchange& exchange) const;
  std::optional<std::string> refusal(const Exchange& exchange, const RepositoryId& repository,
                                     std::string_view action) const;
  io::Awaitable<void> take_form(http::Request& request, http::BodyReader& body) const;
  io::Awaitable<http::Response> give_token(const Exchange& exchange);
  // An answer in the repository's place, or nothing: it answers (and may have just got what is asked for).
  io::Awaitable<std::optional<http::Response>> pull_through(Exchange& exchange);
  io::Awaitable<std::optional<http::Response>> upstream_manifest(Exchange& exchange);
  io::Awaitable<std::optional<http::Response>> upstream_blob(Exchange& exchange);
  io::Awaitable<void> require_repository(const Exchange& exchange);

  io::Awaitable<http::Response> get_blob(Exchange& exchange);
  io::Awaitable<http::Response> delete_blob(Exchange& exchange);

  io::Awaitable<http::Response> start_upload(Exchange& exchange);
  io::Awaitable<std::optional<http::Response>> try_mount(Exchange& exchange);
  std::optional<RepositoryId> mount_source(const Exchange& exchange, const image::Digest& digest) const;
  io::Awaitable<http::Response> continue_upload(Exchange& exchange);
  io::Awaitable<http::Response> upload_status(Exchange& exchange);
  io::Awaitable<http::Response> cancel_upload(Exchange& exchange);
  io::Awaitable<http::Response> finish_upload(Exchange& exchange);
  io::Awaitable<http::Response> complete(Exchange& exchange, Uploads::Claim claim);
  io::Awaitable<void> receive(Exchange& exchange, Uploads::Claim& claim);
  Uploads::Claim claim_upload(const Exchange& exchange);

  io::Awaitable<http::Response> put_manifest(Exchange& exchange);
  io::Awaitable<http::Response> get_manifest(Exchange& exchange);
  std::optional<http::Response> get_cached_manifest(const Exchange& exchange) const;
  io::Awaitable<http::Response> delete_manifest(Exchange& exchange);

  io::Awaitable<http::Response> list_tags(Exchange& exchange);
  io::Awaitable<http::Response> list_repositories(Exchange& exchange);
  io::Awaitable<http::Response> list_referrers(Exchange& exchange);

  io::Executors& executors_;
  image::ContentStore& content_;
  Repositories& repositories_;
  Uploads& uploads_;
  const Login& login_;
  const Access* access_ = nullptr;
  std::function<void(const image::Digest&)> on_push_;
  RepositoryTemplates* templates_ = nullptr;
  const RegistrySettings* settings_ = nullptr;
  Tokens* issuer_ = nullptr;
  PullThrough* pull_through_ = nullptr;
};

}  // namespace sampan::ecr
