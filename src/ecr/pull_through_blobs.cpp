// The pull-through cache: blobs, and the images that become whole with them.
#include <fmt/core.h>

#include "core/log.h"
#include "ecr/pull_through.h"
#include "image/parallel.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kParallelBlobs = 3;  // as clients do
constexpr int kDeepestIndex = 4;

std::vector<image::Descriptor> blobs_of(const image::Manifest& manifest) {
  std::vector<image::Descriptor> blobs;
  if (manifest.config) blobs.push_back(*manifest.config);
  for (const auto& layer : manifest.layers) {
    if (!layer.foreign()) blobs.push_back(layer);
  }
  return blobs;
}

UpstreamError blob_absent(const image::Digest& digest, const std::string& host) {
  return {UpstreamError::Why::kAbsent,
          fmt::format("The upstream registry {} has no blob {}", host, digest.str())};
}

}  // namespace

std::optional<std::uint64_t> PullThrough::awaited_blob(const RepositoryId& id,
                                                       const image::Digest& digest) const {
  const auto prefix = id.key() + '@';
  for (auto at = arriving_.lower_bound(prefix); at != arriving_.end() && at->first.starts_with(prefix);
       ++at) {
    for (const auto& blob : blobs_of(at->second->upload.manifest)) {
      if (blob.digest == digest) return blob.size;
    }
  }
  return std::nullopt;
}

io::Awaitable<void> PullThrough::blob(RepositoryId id, image::Digest digest) {
  const auto* rule = parts_.rules.match(id);
  if (!rule || parts_.repositories.has_blob(id, digest) || !parts_.repositories.find(id)) co_return;
  const auto key = id.key() + ' ' + digest.str();
  const auto absent = absent_.find(key);
  if (absent != absent_.end() && parts_.clock.now() - absent->second < kAbsentFor) co_return;
  const auto size = awaited_blob(id, digest);
  const bool found = co_await ensure_blob(id, upstream_for(id, *rule), digest, size);
  if (!found) note_absent(key);
}

// Those who want one blob of one rule's upstream wait for one transfer, whichever repository began it.
io::Awaitable<bool> PullThrough::ensure_blob(RepositoryId id, Upstream upstream, image::Digest digest,
                                             std::optional<std::uint64_t> size) {
  const auto key = fmt::format("{}/{}/{} {}", id.account, id.region, upstream.rule, digest.str());
  while (!parts_.repositories.has_blob(id, digest)) {
    const bool ours = !transfers_.flies(key);
    auto work = [this, id, upstream, digest, size] { return transfer(id, upstream, digest, size); };
    const bool found = co_await transfers_.run(key, "fetch a blob from upstream", std::move(work));
    if (ours) co_return found;
  }
  co_return true;
}

io::Awaitable<bool> PullThrough::transfer(RepositoryId id, Upstream upstream, image::Digest digest,
                                          std::optional<std::uint64_t> size) {
  bool found = false;
  std::optional<UpstreamError> failed;
  const auto hold = id.key() + ' ' + digest.str();
  holds_.insert_or_assign(hold, parts_.content.hold());
  try {
    auto* client = upstream.client.get();
    if (parts_.content.has(digest) && sibling_has(id, upstream.rule, digest)) {
      // The bytes are here already; that this repository may show them is for its upstream to say.
      auto work = client->blob_size(upstream.repository, digest);
      const auto there =
          co_await boost::asio::co_spawn(parts_.executors.net(), std::move(work), boost::asio::use_awaitable);
      found = there.has_value();
    } else {
      image::BlobWanted wanted{.digest = digest, .size = size};
      auto work = client->blob(upstream.repository, std::move(wanted), parts_.content);
      found =
          co_await boost::asio::co_spawn(parts_.executors.net(), std::move(work), boost::asio::use_awaitable);
    }
    if (found) co_await parts_.repositories.link_blob(id, digest);
  } catch (const image::RegistryFailure& failure) {
    failed = to_upstream_error(failure);
  } catch (const Refusal& refusal) {
    failed = UpstreamError(UpstreamError::Why::kUnavailable, refusal.what());  // the repository has gone
  } catch (const core::Error& error) {
    failed = UpstreamError(UpstreamError::Why::kUnavailable, error.what());  // our own disk
  }
  holds_.erase(hold);
  if (failed) throw *failed;
  co_return found;
}

// Another repository that the same rule has filled may show the blob.
bool PullThrough::sibling_has(const RepositoryId& id, const std::string& rule,
                              const image::Digest& digest) const {
  const auto registry = id.account + '/' + id.region + '/';
  const auto begin = rule == kRootPrefix ? registry : registry + rule + '/';
  const auto& all = parts_.repositories.repositories();
  for (auto row = all.lower_bound(begin); row != all.end() && row->first.starts_with(begin); ++row) {
    const RepositoryId sibling{id.account, id.region, row->first.substr(registry.size())};
    if (!parts_.repositories.has_blob(sibling, digest)) continue;
    const auto* its_rule = parts_.rules.match(sibling);
    if (!its_rule || normal_prefix(*its_rule->ecrRepositoryPrefix) != rule) continue;
    const auto cached = cached_.lower_bound(row->first + '@');
    if (cached != cached_.end() && cached->first.starts_with(row->first + '@')) return true;
  }
  return false;
}

io::Awaitable<void> PullThrough::arrive(RepositoryId id, std::shared_ptr<Arriving> arriving) {
  const auto key = id.image_key(arriving->upload.digest);
  auto work = [this, id, arriving] { return complete(id, arriving); };
  try {
    co_await arrivals_.run(key, "complete an image", std::move(work));
  } catch (const std::exception& error) {
    core::log::warn("{}@{} is not cached: {}", id.name, arriving->upload.digest.str(), error.what());
  }
}

io::Awaitable<bool> PullThrough::complete(RepositoryId id, std::shared_ptr<Arriving> arriving) {
  const auto key = id.image_key(arriving->upload.digest);
  holds_.insert_or_assign(key, parts_.content.hold());
  std::exception_ptr failure;
  try {
    std::vector<image::Job> jobs;
    for (const auto& blob : blobs_of(arriving->upload.manifest)) {
      jobs.push_back([this, id, arriving, blob]() -> io::Awaitable<void> {
        const auto& upstream = arriving->upstream;
        const bool found = co_await ensure_blob(id, upstream, blob.digest, blob.size);
        if (!found) throw blob_absent(blob.digest, upstream.client->host());
      });
    }
    co_await image::run_parallel(std::move(jobs), kParallelBlobs);
    co_await put_arrived(id, arriving);
  } catch (...) {
    failure = std::current_exception();
  }
  arriving_.erase(key);
  holds_.erase(key);
  if (failure) std::rethrow_exception(failure);
  co_return true;
}

// Under each tag by which it was asked for, those that came while it was put as well.
io::Awaitable<void> PullThrough::put_arrived(RepositoryId id, std::shared_ptr<Arriving> arriving) {
  std::set<std::string> done;
  if (arriving->tags.empty()) co_await put_tag(id, arriving->upload, "", Repositories::Children::kAreHere);
  while (true) {
    std::optional<std::string> next;
    for (const auto& tag : arriving->tags) {
      if (!done.contains(tag)) next = tag;
    }
    if (!next) co_return;
    done.insert(*next);
    co_await put_tag(id, arriving->upload, *next, Repositories::Children::kAreHere);
  }
}

io::Awaitable<void> PullThrough::put_tag(RepositoryId id, ManifestUpload upload, std::string tag,
                                         Repositories::Children children) {
  const auto digest = upload.digest;
  const auto expected = id.image_key(digest) + ' ' + tag;
  std::optional<UpstreamError> failed;
  expected_.insert(expected);
  try {
    const auto put = co_await parts_.repositories.put_image(id, std::move(upload), tag,
                                                            Repositories::Origin::kPush, children);
    if (put == Repositories::Put::kUnchanged && !tag.empty()) co_await note_compared(id, digest, tag);
  } catch (const Refusal& refusal) {
    failed = UpstreamError(UpstreamError::Why::kUnavailable, refusal.what());
  }
  expected_.erase(expected);
  if (failed) throw *failed;
}

bool PullThrough::is_due(const RepositoryId& id, const std::string& tag) const {
  if (!parts_.rules.match(id)) return false;
  const auto local = find_local(id, tag);
  return !local || !is_fresh(id, *local, tag);
}

io::Awaitable<void> PullThrough::image(RepositoryId id, std::string reference,
                                       std::optional<image::Platform> platform) {
  for (int depth = 0; depth < kDeepestIndex; ++depth) {
    if (!parts_.rules.match(id)) co_return;
    const auto answer = co_await manifest(id, reference, Part::kWhole);
    const auto digest = answer ? answer->digest : find_local(id, reference);
    if (!digest) co_return;
    const auto key = id.image_key(*digest);
    if (const auto found = arriving_.find(key); found != arriving_.end()) {
      auto work = [this, id, arriving = found->second] { return complete(id, arriving); };
      co_await arrivals_.run(key, "complete an image", std::move(work));
    }
    const auto* row = parts_.repositories.find_image(id, *digest);
    if (!platform || !row || row->children.empty()) co_return;
    const auto* content = &parts_.content;
    const auto wanted = *digest;
    const auto bytes = co_await io::offload(
        parts_.executors, [content, wanted] { return content->read(wanted, image::kLargestManifest); });
    const auto index = image::parse_manifest(bytes);
    const auto* chosen = image::choose_platform(index, *platform);
    if (!chosen) co_return;  // whoever runs it says so
    reference = chosen->digest.str();
  }
}

io::Awaitable<std::optional<std::string>> PullThrough::validate(std::string account, std::string region,
                                                                PullThroughRule rule) {
  std::optional<std::string> failure;
  try {
    const auto client = client_for({account, region, {}}, rule);
    auto work = client->check_login();
    co_await boost::asio::co_spawn(parts_.executors.net(), std::move(work), boost::asio::use_awaitable);
  } catch (const UpstreamError& error) {
    failure = error.what();
  } catch (const image::RegistryFailure& error) {
    failure = to_upstream_error(error).what();
  }
  co_return failure;
}

}  // namespace sampan::ecr
