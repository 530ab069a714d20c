// A registry and an ECR API over a store in memory and a real server on a free port, for tests.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "core/encoding.h"
#include "ecr/catalog.h"
#include "ecr/ecr_api.h"
#include "ecr/pull_through.h"
#include "ecr/registry.h"
#include "http/client.h"
#include "http/server.h"
#include "image/image.h"
#include "io/file.h"
#include "store/memory_store.h"

namespace sampan::ecr {

// One key, "AKIATEST" with the secret "secret"; in open mode everybody.
class TestKeys final : public aws::Authenticator {
 public:
  explicit TestKeys(bool verify) : verify_(verify) {}
  std::shared_ptr<const aws::Identity> lookup(std::string_view key) override {
    if (verify_ && key != "AKIATEST") return nullptr;
    aws::Identity identity;
    identity.account = "000000000000";
    identity.access_key = key;
    identity.secret = "secret";
    return std::make_shared<const aws::Identity>(std::move(identity));
  }
  bool verifies() const override { return verify_; }

 private:
  bool verify_;
};

class World {
 public:
  explicit World(bool verify = false, const std::string& vulnerabilities = {})
      : keys(verify),
        store(store::make_memory_store(executors.control())),
        content(scratch.path()),
        repositories(*store, executors, content, clock),
        uploads(content, clock, ids),
        tokens(*store, ids),
        login(tokens, keys, clock, {"000000000000", "us-east-1"}),
        access_policies(*store, repositories),
        templates(*store, repositories, clock),
        lifecycle(*store, executors, repositories, clock),
        settings(*store, clock),
        archived(repositories, clock),
        replication({*store, executors, content, repositories, templates, clock, network, scratch.path() / "peers"}),
        signing(*store),
        scans(*store, executors, repositories, content, clock, scratch.path(), vulnerabilities),
        cache_rules(*store, clock, [this](std::string_view host) { return network.may_speak_plainly(host); }),
        cache({executors, *store, content, repositories, templates, cache_rules, network, clock}),
        registry(executors, content, repositories, uploads, login),
        server(executors, [this](http::Request& request, http::BodyReader& body) {
          return registry.handle(request, body);
        }) {
    registry.create_on_push(templates);
    registry.use_settings(settings);
    registry.issue_tokens(tokens);
    templates.own_lifecycle_policies(lifecycle_owner(lifecycle));
    server.listen("127.0.0.1", 0);
    host = "localhost:" + std::to_string(server.port());
    catalog.emplace(repositories, executors, std::vector<std::string>{host});
    api.emplace(EcrApi::Parts{.executors = executors,
                              .content = content,
                              .repositories = repositories,
                              .uploads = uploads,
                              .tokens = tokens,
                              .templates = templates,
                              .lifecycle = lifecycle,
                              .settings = settings,
                              .archived = archived,
                              .replication = replication,
                              .signing = signing,
                              .policies = access_policies,
                              .scans = scans,
                              .cache_rules = cache_rules,
                              .pull_through = cache,
                              .host = host});
    registry.pull_through(cache);
    catalog->pull_through(cache);
    thread = std::thread([this] { executors.run(); });
  }
  ~World() {
    wait(server.stop(std::chrono::milliseconds(1000)));
    executors.stop();
    thread.join();
    // What still runs on the pool refers to members: it ends before they do.
    executors.blocking().stop();
    executors.blocking().join();
  }

  template <class T>
  T wait(io::Awaitable<T> work) {
    return boost::asio::co_spawn(executors.control(), std::move(work), boost::asio::use_future).get();
  }

  http::ClientResponse call(const std::string& method, const std::string& path, const std::string& body = {},
                            const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    http::ClientRequest request;
    request.method = method;
    request.url = path.starts_with("http") ? path : "http://" + host + path;
    request.body = body;
    for (const auto& [name, value] : headers) request.headers.set(name, value);
    request.max_redirects = 0;
    return boost::asio::co_spawn(executors.net(), http::fetch(std::move(request)), boost::asio::use_future)
        .get();
  }

  aws::Call caller() const {
    aws::Call call;
    call.account = "000000000000";
    call.region = "us-east-1";
    call.access_key = "AKIATEST";
    call.now = clock.now();
    return call;
  }
  void create(const std::string& name, const std::string& mutability = "MUTABLE",
              std::vector<std::string> filters = {}) {
    RepositoryRow row;
    row.mutability = mutability;
    row.exclusion_filters = std::move(filters);
    wait(repositories.create(id(name), row));
  }
  static RepositoryId id(const std::string& name) { return {"000000000000", "us-east-1", name}; }

  // Pushes a blob in one request; its digest.
  std::string push_blob(const std::string& repository, const std::string& bytes) {
    const auto digest = image::Digest::of(bytes).str();
    const auto answer = call("POST", "/v2/" + repository + "/blobs/uploads/?digest=" + digest, bytes);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return digest;
  }
  static std::string descriptor(const std::string& bytes, const std::string& type) {
    return R"({"mediaType":")" + type + R"(","size":)" + std::to_string(bytes.size()) + R"(,"digest":")" +
           image::Digest::of(bytes).str() + "\"}";
  }
  // An image of one layer whose content is `seed`; its manifest.
  std::string make_image(const std::string& repository, const std::string& seed,
                         const std::string& more = {}) {
    const auto config = R"({"os":"linux","architecture":"amd64","seed":")" + seed + "\"}";
    push_blob(repository, config);
    push_blob(repository, seed);
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
           descriptor(config, image::kOciConfig) + R"(,"layers":[)" + descriptor(seed, image::kLayerGzip) +
           "]" + more + "}";
  }
  http::ClientResponse put_manifest(const std::string& repository, const std::string& reference,
                                    const std::string& bytes, const std::string& type = image::kOciManifest) {
    return call("PUT", "/v2/" + repository + "/manifests/" + reference, bytes, {{"Content-Type", type}});
  }

  io::TemporaryDirectory scratch;
  io::Executors executors;
  core::ManualClock clock{core::TimePoint(core::Millis(1'800'000'000'000))};
  core::SystemIdSource ids;
  TestKeys keys;
  std::unique_ptr<store::Store> store;
  image::ContentStore content;
  Repositories repositories;
  Uploads uploads;
  Tokens tokens;
  Login login;
  AccessPolicies access_policies;
  RepositoryTemplates templates;
  Lifecycle lifecycle;
  RegistrySettings settings;
  ArchivedImages archived;
  image::RegistryNetwork network{{.name = "world"}};
  Replication replication;
  Signing signing;
  Scans scans;
  PullThroughRules cache_rules;
  PullThrough cache;
  Registry registry;
  http::Server server;
  std::string host;
  std::optional<Catalog> catalog;
  std::optional<EcrApi> api;
  std::thread thread;
};

}  // namespace sampan::ecr
