#include "image/puller.h"

#include <fmt/format.h>

#include <deque>
#include <mutex>
#include <set>

#include "core/log.h"
#include "image/parallel.h"
#include "image/registry_client.h"

namespace sampan::image {
namespace {

constexpr std::size_t kParallelBlobs = 4;
constexpr std::size_t kParallelLayers = 2;  // each has a thread that decompresses beside it
constexpr int kDeepestIndex = 4;
constexpr std::chrono::milliseconds kLookAgain{50};
constexpr std::size_t kMostToPlace = 256;

// "docker.io/debian" is "registry-1.docker.io/library/debian".
struct Remote {
  std::string host;
  std::string repository;
};
Remote locate(const Reference& reference, const std::string& default_registry) {
  const bool hub =
      reference.host.empty() || reference.host == "docker.io" || reference.host == "index.docker.io";
  if (!hub) return {reference.host, reference.repository};
  const bool official = reference.repository.find('/') == std::string::npos;
  return {default_registry, official ? "library/" + reference.repository : reference.repository};
}

RegistryAddress address_of(const Remote& remote) {
  if (auto address = RegistryAddress::parse(remote.host)) return *address;
  throw core::Error("ask registry " + remote.host, "that is no host name");
}

std::string wanted(const Reference& reference) {
  return reference.digest ? reference.digest->str() : reference.tag;
}

std::vector<Descriptor> blobs_of(const Manifest& manifest) {
  auto blobs = manifest.layers;
  if (manifest.config) blobs.push_back(*manifest.config);
  return blobs;
}

}  // namespace

struct Images::Impl {
  io::Executors& executors;
  ContentStore& content;
  LayerStore& layers;
  const Catalog& catalog;
  RegistryNetwork& network;
  std::string default_registry;
  std::mutex mutex;
  std::set<Digest> arriving;  // blobs that some pull is fetching
  std::deque<Digest> to_place;
  bool placing = false;
  BlobTier* tier = nullptr;

  bool begin(const Digest& digest) {
    const std::lock_guard lock(mutex);
    return arriving.insert(digest).second;
  }
  void end(const Digest& digest) {
    const std::lock_guard lock(mutex);
    arriving.erase(digest);
  }

  io::Awaitable<std::optional<Digest>> find_local(Registry registry, Reference reference);
  io::Awaitable<Digest> pull(Reference reference, PullOptions options);
  io::Awaitable<std::optional<Digest>> pull_manifest(RegistryClient& client, std::string repository,
                                                     std::string reference, const PullOptions& options);
  io::Awaitable<void> pull_blob(RegistryClient& client, std::string repository, Descriptor blob,
                                const PullOptions& options);
  io::Awaitable<void> store(std::string bytes);
  static io::Awaitable<void> place_all(std::shared_ptr<Impl> self);
  void place_one(const Digest& manifest);
  std::optional<Digest> next_to_place();
  io::Awaitable<void> bring(Digest digest);
  io::Awaitable<void> bring_image(Digest manifest, const Platform& platform);
  io::Awaitable<void> push_one(RegistryClient& client, std::string repository, std::string reference,
                               Digest digest, int depth, const PullOptions& options);
  io::Awaitable<void> push_blob(RegistryClient& client, std::string repository, Descriptor blob,
                                const PullOptions& options);
};

Images::Images(io::Executors& executors, ContentStore& content, LayerStore& layers, const Catalog& catalog,
               RegistryNetwork& network, std::string default_registry)
    : impl_(new Impl{executors, content, layers, catalog, network, std::move(default_registry), {}, {}, {}}) {
}
Images::~Images() = default;

io::Awaitable<std::optional<Digest>> Images::Impl::find_local(Registry registry, Reference reference) {
  if (!catalog.owns(reference.host)) co_return std::nullopt;
  const auto* from = &catalog;
  co_return co_await io::on_control(executors, [&] { return from->resolve(registry, reference); });
}

io::Awaitable<void> Images::Impl::store(std::string bytes) {
  auto* to = &content;
  co_await io::offload(executors, [to, &bytes] { to->put(bytes); });
}

io::Awaitable<void> Images::Impl::pull_blob(RegistryClient& client, std::string repository, Descriptor blob,
                                            const PullOptions& options) {
  // Somebody else may be fetching it: when that has ended, either it is here or it is our turn.
  while (true) {
    if (content.has(blob.digest)) co_return;
    if (begin(blob.digest)) break;
    co_await io::sleep_for(kLookAgain);
  }
  std::exception_ptr failure;
  try {
    BlobWanted wanted{.digest = blob.digest, .size = blob.size};
    if (options.progress) {
      wanted.progress = [&options, &blob](std::uint64_t done) {
        options.progress({"pulling", blob.digest, done, blob.size});
      };
    }
    const bool found = co_await client.blob(repository, std::move(wanted), content);
    if (!found) {
      throw core::Error(
          fmt::format("get blob {} of {} from registry {}", blob.digest.str(), repository, client.host()),
          "it is not there");
    }
  } catch (...) {
    failure = std::current_exception();
  }
  end(blob.digest);
  if (failure) std::rethrow_exception(failure);
}

// The manifest and all that its platform's image needs; its own digest.
io::Awaitable<std::optional<Digest>> Images::Impl::pull_manifest(RegistryClient& client,
                                                                 std::string repository,
                                                                 std::string reference,
                                                                 const PullOptions& options) {
  std::optional<Digest> top;
  for (int depth = 0; depth < kDeepestIndex; ++depth) {
    auto fetched = co_await client.manifest(repository, reference);
    if (!fetched && !top) co_return std::nullopt;
    if (!fetched)
      throw core::Error("get " + repository + '@' + reference,
                        "the registry's index names it, but it is not there");
    const auto manifest = parse_manifest(fetched->bytes, fetched->media_type);
    co_await store(std::move(fetched->bytes));
    if (!top) top = fetched->digest;
    if (manifest.is_index()) {
      const auto* chosen = choose_platform(manifest, options.platform);
      if (!chosen) throw core::Error("get " + repository, "there is no image for " + options.platform.str());
      reference = chosen->digest.str();
      continue;
    }
    std::vector<Job> jobs;
    for (const auto& blob : blobs_of(manifest)) {
      jobs.push_back([this, &client, repository, blob, &options] {
        return pull_blob(client, repository, blob, options);
      });
    }
    co_await run_parallel(std::move(jobs), kParallelBlobs);
    co_return top;
  }
  throw core::Error("get " + repository, "its indexes are nested too deep");
}

io::Awaitable<Digest> Images::Impl::pull(Reference reference, PullOptions options) {
  const auto remote = locate(reference, default_registry);
  if (options.progress)
    options.progress({fmt::format("pulling {} from {}", reference.str(), remote.host), {}, 0, 0});
  RegistryClient client(executors, network, address_of(remote), options.login);
  const auto found = co_await pull_manifest(client, remote.repository, wanted(reference), options);
  if (!found) {
    throw core::Error(
        fmt::format("get {} of {} from registry {}", wanted(reference), remote.repository, remote.host),
        "it is not there");
  }
  co_return *found;
}

io::Awaitable<Image> Images::ensure(Registry registry, Reference reference, PullOptions options) {
  const auto held = hold();
  std::vector<std::string> tried;
  const bool own = impl_->catalog.owns(reference.host);
  std::string not_obtained;
  try {
    co_await impl_->catalog.obtain(registry, reference, options.platform);
  } catch (const core::Error& error) {
    not_obtained = error.what();
  }
  const auto local = co_await impl_->find_local(registry, reference);
  if (local) {
    auto image = co_await load(*local, options.platform);
    co_return image;
  }
  if (!not_obtained.empty()) tried.push_back(not_obtained);
  if (own) {
    tried.push_back(fmt::format("no image {}:{} in this Sampan's registry (account {}, region {})",
                                reference.repository, wanted(reference), registry.account, registry.region));
  }
  std::optional<Digest> pulled;
  if (!own || reference.host.empty()) {
    try {
      pulled = co_await impl_->pull(reference, options);
    } catch (const core::Error& error) {
      tried.emplace_back(error.what());
    }
  }
  if (!pulled) throw core::Error("find image " + reference.str(), fmt::format("{}", fmt::join(tried, "; ")));
  auto image = co_await load(*pulled, options.platform);
  co_return image;
}

Holds::Hold Images::hold() const {
  return impl_->content.hold();
}

void Images::set_tier(BlobTier* tier) {
  impl_->tier = tier;
}

io::Awaitable<void> Images::Impl::bring(Digest digest) {
  if (!tier || content.size(digest)) co_return;
  if (!co_await tier->bring(digest))
    throw core::Error("get blob " + digest.str(), "it is not in " + tier->store().name());
}

// All that load_image() and ensure_unpacked() read.
io::Awaitable<void> Images::Impl::bring_image(Digest digest, const Platform& platform) {
  for (int depth = 0; depth < kDeepestIndex; ++depth) {
    co_await bring(digest);
    const auto* from = &content;
    const auto text =
        co_await io::offload(executors, [from, &digest] { return from->read(digest, kLargestManifest); });
    const auto manifest = parse_manifest(text);
    if (!manifest.is_index()) {
      std::vector<Job> jobs;
      for (const auto& blob : blobs_of(manifest)) jobs.push_back([this, blob] { return bring(blob.digest); });
      co_await run_parallel(std::move(jobs), kParallelBlobs);
      co_return;
    }
    const auto* chosen = choose_platform(manifest, platform);
    if (!chosen) co_return;  // load_image() has the words for it
    digest = chosen->digest;
  }
}

io::Awaitable<Image> Images::load(Digest manifest, Platform platform) {
  const auto held = hold();
  if (impl_->tier) co_await impl_->bring_image(manifest, platform);
  const auto* content = &impl_->content;
  co_return co_await io::offload(impl_->executors, [content, &manifest, &platform] {
    auto image = load_image(*content, manifest, platform);
    for (const auto* each : {&manifest, &image.manifest, &image.config_digest}) content->has(*each);
    for (const auto& layer : image.layers) content->has(layer.digest);  // relied upon from now on
    return image;
  });
}

io::Awaitable<std::vector<std::filesystem::path>> Images::ensure_unpacked(Image image) {
  std::vector<std::filesystem::path> paths(image.layers.size());
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    if (auto ready = impl_->layers.find(image.layers[i].diff_id)) {
      paths[i] = std::move(*ready);
      continue;
    }
    jobs.push_back([impl = impl_.get(), layer = &image.layers[i], path = &paths[i]]() -> io::Awaitable<void> {
      auto* layers = &impl->layers;
      *path =
          co_await io::offload(impl->executors, [layers, layer] { return layers->ensure_unpacked(*layer); });
    });
  }
  if (!jobs.empty()) co_await run_parallel(std::move(jobs), kParallelLayers);
  co_return paths;
}

void Images::place_later(Digest manifest) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->to_place.size() >= kMostToPlace) return;
    impl_->to_place.push_back(std::move(manifest));
    if (std::exchange(impl_->placing, true)) return;
  }
  io::spawn_detached(impl_->executors.net().get_executor(), "unpack what was pushed", Impl::place_all(impl_));
}

std::optional<Digest> Images::Impl::next_to_place() {
  const std::lock_guard lock(mutex);
  if (to_place.empty()) {
    placing = false;
    return std::nullopt;
  }
  auto next = std::move(to_place.front());
  to_place.pop_front();
  return next;
}

io::Awaitable<void> Images::Impl::place_all(std::shared_ptr<Impl> self) {
  auto next = self->next_to_place();
  while (next) {
    auto* impl = self.get();
    const auto* manifest = &*next;
    co_await io::offload(self->executors, [impl, manifest] { impl->place_one(*manifest); });
    next = self->next_to_place();
  }
}

void Images::Impl::place_one(const Digest& manifest) {
  try {
    const auto image = load_image(content, manifest);
    if (image.config.platform != Platform()) return;
    for (const auto& layer : image.layers) layers.ensure_unpacked(layer);
  } catch (const core::Error& error) {
    core::log::debug("pushed image {} is not unpacked yet: {}", manifest.str(), error.what());
  }
}

io::Awaitable<void> Images::Impl::push_blob(RegistryClient& client, std::string repository, Descriptor blob,
                                            const PullOptions& options) {
  const bool there = co_await client.has_blob(repository, blob.digest);
  if (!there) co_await bring(blob.digest);
  if (!there) co_await client.send_blob(repository, blob.digest, content);
  if (options.progress)
    options.progress({there ? "there already" : "pushed", blob.digest, blob.size, blob.size});
}

// What a manifest names goes before it, as registries demand.
io::Awaitable<void> Images::Impl::push_one(RegistryClient& client, std::string repository,
                                           std::string reference, Digest digest, int depth,
                                           const PullOptions& options) {
  if (depth > kDeepestIndex) throw core::Error("push " + digest.str(), "its indexes are nested too deep");
  auto bytes = content.read(digest, kLargestManifest);
  const auto manifest = parse_manifest(bytes);
  for (const auto& child : manifest.manifests) {
    co_await push_one(client, repository, child.digest.str(), child.digest, depth + 1, options);
  }
  std::vector<Job> jobs;
  for (const auto& blob : blobs_of(manifest)) {
    if (blob.foreign()) continue;
    jobs.push_back(
        [this, &client, repository, blob, &options] { return push_blob(client, repository, blob, options); });
  }
  co_await run_parallel(std::move(jobs), kParallelBlobs);
  co_await client.send_manifest(repository, reference, std::move(bytes), manifest.media_type);
}

io::Awaitable<void> Images::push(Digest manifest, Reference target, PullOptions options) {
  const auto remote = locate(target, impl_->default_registry);
  RegistryClient client(impl_->executors, impl_->network, address_of(remote), options.login);
  const auto reference = target.tag.empty() ? manifest.str() : target.tag;
  co_await impl_->push_one(client, remote.repository, reference, manifest, 0, options);
}

}  // namespace sampan::image
