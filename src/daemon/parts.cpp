#include "daemon/parts.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <thread>

#include "daemon/certificate.h"
#include "daemon/work_wanted.h"
#include "elb/haproxy_program.h"
#include "store/open.h"

namespace sampan::daemon {
namespace {

std::shared_ptr<http::TlsIdentity> read_identity(const Options& options) {
  if (!options.tls()) return nullptr;
  return std::make_shared<http::TlsIdentity>(options.tls_certificate, options.tls_key);
}

std::uint16_t bind_port(http::Server& server, const Options& options, const std::shared_ptr<http::TlsIdentity>& tls) {
  server.listen(options.listen_address, options.listen_port, tls);
  return server.port();
}

// "localhost:4566": how this Sampan's registry is named in image references.
std::string registry_host(const Options& options, std::uint16_t port) {
  const bool usual = port == (options.tls() ? 443 : 80);
  if (!options.host_name.empty() && usual) return options.host_name;
  auto name = options.listens_on_loopback() ? "localhost" : options.listen_address;
  if (!options.host_name.empty()) name = options.host_name;
  return name + ":" + std::to_string(port);
}

std::vector<std::string> registry_hosts(const Options& options, std::uint16_t port) {
  auto suffix = ":" + std::to_string(port);
  return {registry_host(options, port), "localhost" + suffix, "127.0.0.1" + suffix, options.listen_address + suffix};
}

ecs::Machine describe_machine(const Options& options) {
  ecs::Machine machine;
  machine.account = options.account;
  machine.region = options.region;
  machine.cpu_units = static_cast<int>(std::max(1U, std::thread::hardware_concurrency())) * 1024;
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) machine.memory_mib = static_cast<int>(info.totalram * info.mem_unit / (1024 * 1024));
  utsname name{};
  if (::uname(&name) == 0) {
    machine.host_name = name.nodename;
    machine.architecture = std::string_view(name.machine) == "aarch64" ? "arm64" : "x86_64";
  }
  return machine;
}

// A secret as the pull-through cache asks for it.
ecr::SecretAnswer upstream_secret(const secrets::Vault& vault, const secrets::Scope& scope, const std::string& arn) {
  using Why = ecr::NoSecret::Why;
  try {
    if (auto found = vault.find(scope, arn)) return ecr::SecretText{std::move(found->value.bytes)};
  } catch (const secrets::Unreadable& lost) {
    return ecr::NoSecret{Why::kUndecryptable, lost.what()};
  }
  const auto* secret = vault.find_secret(scope, arn);
  if (secret && secret->goes) return ecr::NoSecret{Why::kDenied, "The secret " + arn + " is marked for deletion"};
  return ecr::NoSecret{Why::kNotFound, secret ? "it has no value" : "Secrets Manager can't find the specified secret."};
}

}  // namespace

Parts::Parts(const Options& options)
    : lock(options),
      host(runtime::probe_host(options.runtime, options.data_dir / "runtime.json")),
      haproxy(elb::find_haproxy()),
      server(executors, [this](http::Request& request, http::BodyReader& body) { return receive(request, body); }),
      tls(read_identity(options)),
      port(bind_port(server, options, tls)),
      store(store::open_store(options.store, options.data_dir, executors)),
      keys(options.open_auth ? iam::Mode::kOpen : iam::Mode::kVerified, options.account,
           iam::load_or_make_root_key(options.data_dir, ids)),
      sessions(*store, keys, grants, clock, ids),
      directory(*store, keys, grants),
      authorizer(grants),
      sts(keys, sessions, directory, grants),
      users(directory, grants, keys, ids),
      topology(*store, clock, ids, {options.account, options.region, options.vpc_cidr}),
      addresses(topology),
      ec2(topology),
      content(options.data_dir),
      blob_store(options.blobs.empty() ? nullptr : image::open_blob_store(executors, clock, options.blobs)),
      tier(!blob_store ? nullptr
                       : new image::BlobTier(executors, content, *blob_store,
                                             {.redirects = options.blobs_redirect, .cache_bytes = options.blobs_cache})),
      layers(options.data_dir, content),
      repositories(*store, executors, content, clock),
      access_policies(*store, repositories),
      access(authorizer, access_policies),
      uploads(content, clock, ids),
      tokens(*store, ids),
      login(tokens, keys, clock, {options.account, options.region}),
      templates(*store, repositories, clock),
      registries({.ca_file = options.upstream_ca.string(),
                  .insecure_hosts = options.insecure_upstreams,
                  .name = ids.hex(16)}),
      replication({*store, executors, content, repositories, templates, clock, registries, options.data_dir / "peers"}),
      signing(*store),
      scans(*store, executors, repositories, content, clock, options.data_dir, options.vulnerability_db),
      inventory(executors, repositories, scans, clock, registry_host(options, port)),
      cache_rules(*store, clock, [this](std::string_view host) { return registries.may_speak_plainly(host); }),
      pull_through({.executors = executors,
                    .store = *store,
                    .content = content,
                    .repositories = repositories,
                    .templates = templates,
                    .rules = cache_rules,
                    .network = registries,
                    .clock = clock,
                    .refresh = std::chrono::duration_cast<std::chrono::seconds>(options.pull_through_refresh)}),
      registry(executors, content, repositories, uploads, login),
      catalog(repositories, executors, registry_hosts(options, port)),
      lifecycle(*store, executors, repositories, clock),
      registry_settings(*store, clock),
      archived(repositories, clock),
      ecr({.executors = executors,
           .content = content,
           .repositories = repositories,
           .uploads = uploads,
           .tokens = tokens,
           .templates = templates,
           .lifecycle = lifecycle,
           .settings = registry_settings,
           .archived = archived,
           .replication = replication,
           .signing = signing,
           .policies = access_policies,
           .scans = scans,
           .cache_rules = cache_rules,
           .pull_through = pull_through,
           .host = registry_host(options, port),
           .scheme = options.tls() ? "https" : "http"}),
      images(executors, content, layers, catalog, registries),
      quotas(*store, content, repositories),
      collector({*store, executors, clock, content, layers, repositories, uploads}),
      storage(executors, collector, {executors, clock, content, repositories}, quotas, {options.account, options.region, {}},
              {.grace = options.collect_grace}),
      step_cache(options.data_dir / "build/cache", content),
      logs(executors, *store, ids, clock, options.data_dir),
      vault(executors, *store, clock, ids, options.data_dir),
      secrets(vault, clock, ids),
      cgroups(host.cgroups),
      runtime(executors, host, options.run_dir / "runtime"),
      builder(executors, images, content, layers, catalog, host,
              {options.data_dir, options.run_dir, "/sampan-" + options.instance_id()}),
      bootstrap(executors, content, layers, catalog),
      work(executors, builder, bootstrap, images, content, catalog, options.data_dir),
      network(executors, {.run_dir = options.run_dir, .instance = options.instance_id()}),
      task_credentials(sessions, directory, clock),
      agent({.executors = executors,
             .clock = clock,
             .ids = ids,
             .images = images,
             .runtime = runtime,
             .cgroups = cgroups,
             .network = network,
             .logs = &logs.sink(),
             .endpoint = &server,
             .credentials = [this](const node::TaskAssignment& task) { return task_credentials.issue(task); }},
            {.data_dir = options.data_dir, .instance = options.instance_id()}),
      balancers(*store),
      edge(executors, clock, balancers,
           {.data_dir = options.data_dir, .run_dir = options.run_dir, .address = options.edge_address, .program = haproxy}),
      targets(balancers, edge, clock),
      elb(balancers, edge, addresses, ids),
      ecs({.store = *store,
           .clock = clock,
           .ids = ids,
           .link = agent,
           .interfaces = addresses,
           .targets = targets,
           .catalog = catalog,
           .control = executors.control()},
          {.machine = describe_machine(options)}),
      dispatcher(executors, keys, clock, ids, {.default_region = options.region}),
      front({.aws = &dispatcher,
             .registry = [this](http::Request& request, http::BodyReader& body) { return registry.handle(request, body); },
             .work = [this](http::Request& request, http::BodyReader& body,
                            const aws::Caller& caller) { return do_work(request, body, caller); }},
            keys, clock),
      options_(options),
      home{options.account, options.region} {
  for (aws::AnyService* service :
       std::initializer_list<aws::AnyService*>{&sts, &users, &ec2, &ecr, &logs.api(), &secrets, &elb, &ecs}) {
    dispatcher.add(*service);
  }
  authorizer.know("iam", iam::iam_knowledge());
  authorizer.know("sts", iam::sts_knowledge());
  authorizer.know("ecs", iam::ecs_knowledge());
  authorizer.know("elbv2", iam::elb_knowledge());
  authorizer.know("ecr", access.knowledge());
  dispatcher.authorize_with(authorizer);
  registry.authorize_with(access);
  registry.create_on_push(templates);
  registry.use_settings(registry_settings);
  registry.issue_tokens(tokens);
  // Another account's registry takes what its policy lets this account replicate.
  replication.ask_for_permission([this](const std::string& account, std::string_view action, const ecr::RepositoryId& to) {
    aws::Identity sender;
    sender.account = account;
    sender.principal_arn = iam::root_arn(account);
    return !access.refusal(sender, to, action, {"", to.region, false, clock.now()});
  });
  templates.own_lifecycle_policies(ecr::lifecycle_owner(lifecycle));
  templates.own_repository_policies({ecr::repository_policy_problem,
                                     [this](store::Txn& tx, const ecr::RepositoryId& id, const std::string& text) {
                                       access_policies.put_repository(tx, id, text);
                                     }});
  cache_rules.look_up_secrets([this](const std::string& account, const std::string& region, const std::string& arn) {
    return upstream_secret(vault, {account, region}, arn);
  });
  registry.pull_through(pull_through);
  catalog.pull_through(pull_through);
  // What is pushed here is most likely run here: its layers are unpacked ahead of the first task.
  collector.set_roots(collection_roots());
  repositories.set_tier(tier.get());
  images.set_tier(tier.get());
  registry.on_push([this](const image::Digest& manifest) { images.place_later(manifest); });
}

ecr::CollectionRoots Parts::collection_roots() {
  ecr::CollectionRoots roots;
  roots.images = [this] {
    auto images = agent.images_in_use();
    for (auto& image : ecs.images_in_use()) images.push_back(std::move(image));
    return images;
  };
  roots.build_cache = [this](ecr::KeepSet& keep, bool dry_run) {
    using Removal = build::StepCache::Removal;
    return step_cache.collect(clock.now() - options_.build_cache_keep, dry_run ? Removal::kDryRun : Removal::kReal,
                              [&keep](const image::Digest& layer) { keep.add(layer); });
  };
  return roots;
}

// Manifests are read from the data dir alone. In a new one they come from the blob store before the first request.
io::Awaitable<void> Parts::bring_manifests() {
  std::vector<image::Digest> absent;
  for (const auto& [key, row] : repositories.images()) {
    auto digest = ecr::digest_of_key(key);
    if (!content.size(digest)) absent.push_back(std::move(digest));
  }
  for (const auto& digest : absent) {
    if (!co_await tier->bring(digest)) core::log::error("manifest {} is neither here nor in {}", digest.str(), blob_store->name());
  }
}

// What was pushed before there was a blob store.
io::Awaitable<void> Parts::send_blobs() {
  std::vector<image::Digest> needed;
  for (const auto& [key, row] : repositories.links()) needed.push_back(ecr::digest_of_key(key));
  for (const auto& [key, row] : repositories.images()) needed.push_back(ecr::digest_of_key(key));
  const auto sent = co_await tier->catch_up(std::move(needed));
  if (sent > 0) core::log::info("{} blobs that were here were sent to {}", sent, blob_store->name());
}

io::Awaitable<void> Parts::start() {
  if (tier) co_await bring_manifests();
  co_await logs.recover();
  agent.on_report([](const node::TaskReport&) {});  // ecs.start() asks for everything that was adopted
  co_await agent.start();
  co_await edge.start();
  co_await ecs.start();
  replication.start();
  scans.start();
  io::spawn_detached(executors.control(), "log retention", logs.keep_retention());
  io::spawn_detached(executors.control(), "deletion of secrets", vault.keep_deletions());
  io::spawn_detached(executors.control(), "lifecycle policies", lifecycle.reconcile());
  if (tier) io::spawn_detached(executors.control(), "blobs to the blob store", send_blobs());
  if (options_.collect_every.count() > 0) {
    io::spawn_detached(executors.control(), "garbage collection",
                       collector.run(options_.collect_every, {.grace = options_.collect_grace}));
  }
  if (tls) io::spawn_detached(executors.control(), "the TLS certificate", follow_certificate(executors, tls));
  ready = true;
}

io::Awaitable<void> Parts::stop() {
  builder.cancel_all();
  replication.stop();
  ecs.stop();
  scans.stop();
  co_await edge.stop();
}

io::Awaitable<http::Response> Parts::do_work(http::Request& request, http::BodyReader& body, const aws::Caller& caller) {
  const bool stored = ecr::StorageApi::serves(request.raw_path());
  const bool listed = ecr::InventoryApi::serves(request.raw_path());
  if (!stored && !listed && !build::HttpApi::serves(request.raw_path())) {
    co_return http::Response::text(404, "{\"message\":\"there is nothing at this path\"}\n", "application/json");
  }
  image::Registry registry{caller.identity ? caller.identity->account : home.account,
                           caller.region.empty() ? home.region : caller.region};
  if (const auto why = refuse_work(request, caller, registry)) {
    boost::json::object refusal{{"code", "AccessDeniedException"}, {"message", *why}};
    co_return http::Response::text(403, boost::json::serialize(refusal) + "\n", "application/json");
  }
  // The disk is shared by all accounts: it is the operator's account's.
  if (stored) co_return co_await storage.handle(request, registry.account == home.account);
  if (listed) co_return co_await inventory.handle(request, registry);
  co_return co_await work.handle(request, body, registry);
}

// Why the caller may not have this done; nothing when it may.
std::optional<std::string> Parts::refuse_work(const http::Request& request, const aws::Caller& caller,
                                              const image::Registry& registry) const {
  if (!caller.identity) return std::nullopt;
  const iam::Circumstances circumstances{request.remote_address, registry.region, request.tls, clock.now()};
  const auto wanted = work_wanted(request.method, request.raw_path(), request.raw_query());
  auto why = authorizer.refusal(*caller.identity, {{.action = wanted.action}}, circumstances);
  for (const auto& [action, repository] : wanted.repositories) {
    if (why) break;
    why = access.refusal(*caller.identity, {registry.account, registry.region, repository}, action, circumstances);
  }
  return why;
}

// A client that is quicker than our own start waits a little instead of being refused.
io::Awaitable<http::Response> Parts::receive(http::Request& request, http::BodyReader& body) {
  for (int waited = 0; !ready && waited < 2000; ++waited) co_await io::sleep_for(std::chrono::milliseconds(5));
  if (!ready) co_return http::Response::text(503, "sampand is still starting\n", "text/plain");
  co_return co_await front.handle(request, body);
}

}  // namespace sampan::daemon
