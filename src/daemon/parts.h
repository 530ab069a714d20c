// Every part of the daemon, in the order they are built; destroyed in reverse. Only wiring: no decision is made here.
#pragma once

#include <atomic>
#include <memory>

#include "aws/dispatcher.h"
#include "build/bootstrap.h"
#include "build/cache.h"
#include "build/builder.h"
#include "build/http_api.h"
#include "core/random.h"
#include "daemon/front.h"
#include "daemon/instance.h"
#include "daemon/options.h"
#include "daemon/task_credentials.h"
#include "ecr/access.h"
#include "ecr/catalog.h"
#include "ecr/collector.h"
#include "ecr/ecr_api.h"
#include "ecr/inventory_api.h"
#include "ecr/login.h"
#include "ecr/pull_through.h"
#include "ecr/registry.h"
#include "ecr/storage_api.h"
#include "ecs/service_api.h"
#include "elb/edge.h"
#include "elb/elb_api.h"
#include "elb/group_targets.h"
#include "http/server.h"
#include "http/tls_identity.h"
#include "iam/authorizer.h"
#include "iam/iam_api.h"
#include "iam/sts_api.h"
#include "image/content_store.h"
#include "image/layer_store.h"
#include "image/puller.h"
#include "image/registry_network.h"
#include "logs/logs.h"
#include "node/agent.h"
#include "node/kernel_network.h"
#include "runtime/cgroup.h"
#include "runtime/host.h"
#include "runtime/oci_runtime.h"
#include "secrets/secrets_api.h"
#include "vpc/addresses.h"
#include "vpc/ec2_api.h"

namespace sampan::daemon {

struct Parts {
  // Throws core::Error when something of the machine is missing or taken; the machine is as before then.
  explicit Parts(const Options& options);

  // On the control strand: agrees with what an earlier life left, then lets requests in.
  io::Awaitable<void> start();
  // Ends our own work in the right order; tasks and load balancers go on. On the control strand.
  io::Awaitable<void> stop();

  InstanceLock lock;
  core::SystemClock clock;
  core::SystemIdSource ids;
  runtime::Host host;
  std::string haproxy;
  io::Executors executors;
  http::Server server;
  std::shared_ptr<http::TlsIdentity> tls;  // null: plain HTTP. Shared with the listener and its follower
  std::uint16_t port;  // bound here, so that a port in use is told before anything is changed

  std::unique_ptr<store::Store> store;
  iam::Keys keys;
  iam::GrantBook grants;
  iam::Sessions sessions;
  iam::Directory directory;
  iam::Authorizer authorizer;
  iam::StsApi sts;
  iam::IamApi users;

  vpc::Topology topology;
  vpc::Addresses addresses;
  vpc::Ec2Api ec2;

  image::ContentStore content;
  std::unique_ptr<image::BlobStore> blob_store;  // none: blobs are in the content store alone
  std::unique_ptr<image::BlobTier> tier;
  image::LayerStore layers;
  ecr::Repositories repositories;
  ecr::AccessPolicies access_policies;
  ecr::Access access;
  ecr::Uploads uploads;
  ecr::Tokens tokens;
  ecr::Login login;
  ecr::RepositoryTemplates templates;
  image::RegistryNetwork registries;
  ecr::Replication replication;
  ecr::Signing signing;
  ecr::Scans scans;
  ecr::InventoryApi inventory;
  ecr::PullThroughRules cache_rules;
  ecr::PullThrough pull_through;
  ecr::Registry registry;
  ecr::Catalog catalog;
  ecr::Lifecycle lifecycle;
  ecr::RegistrySettings registry_settings;
  ecr::ArchivedImages archived;
  ecr::EcrApi ecr;
  image::Images images;
  ecr::Quotas quotas;
  ecr::Collector collector;
  ecr::StorageApi storage;
  build::StepCache step_cache;  // the builder's, for collection

  logs::Logs logs;

  secrets::Vault vault;
  secrets::SecretsApi secrets;

  runtime::Cgroups cgroups;
  runtime::OciRuntime runtime;

  build::Builder builder;
  build::Bootstrap bootstrap;
  build::HttpApi work;

  node::KernelNetwork network;
  TaskCredentials task_credentials;
  node::Agent agent;

  elb::Registry balancers;
  elb::Edge edge;
  elb::GroupTargets targets;
  elb::ElbApi elb;

  ecs::EcsApi ecs;

  aws::Dispatcher dispatcher;
  Front front;
  std::atomic<bool> ready{false};

 private:
  io::Awaitable<http::Response> receive(http::Request& request, http::BodyReader& body);
  io::Awaitable<http::Response> do_work(http::Request& request, http::BodyReader& body, const aws::Caller& caller);

  ecr::CollectionRoots collection_roots();
  io::Awaitable<void> bring_manifests();
  io::Awaitable<void> send_blobs();

  const Options options_;
  std::optional<std::string> refuse_work(const http::Request& request, const aws::Caller& caller,
                                         const image::Registry& registry) const;

  image::Registry home;  // of callers who name no region
};

}  // namespace sampan::daemon
