#include "ecr/pull_through.h"

#include <fmt/core.h>

#include "core/log.h"
#include "core/metrics.h"
#include "ecr/tag_rules.h"
#include "ecr/template_rules.h"

namespace sampan::ecr {
namespace {

constexpr std::chrono::seconds kRestFor{30};  // nor one that failed, for what is here
constexpr std::size_t kMostNotes = 4096;
constexpr std::size_t kMostArriving = 256;

std::string tag_of(const std::string& reference) {
  return image::Digest::parse(reference) ? std::string() : reference;
}

core::metrics::Counter& asked_counter(const char* outcome) {
  return core::metrics::counter("sampan_pull_through_total", "Manifests asked of upstream registries",
                                {{"outcome", outcome}});
}

}  // namespace

PullThrough::PullThrough(Parts parts)
    : parts_(std::move(parts)),
      cached_(parts_.store, "/ecr/cached/"),
      fetches_(parts_.executors.control()),
      arrivals_(parts_.executors.control()),
      transfers_(parts_.executors.control()) {
  parts_.repositories.when_image_comes([this](store::Txn& tx, const Repositories::Arrival& arrival) {
    const auto key = arrival.repository.image_key(arrival.digest);
    if (expected_.contains(key + ' ' + arrival.tag)) write_cached(tx, key, arrival.tag);
  });
  parts_.repositories.when_image_goes(
      [this](store::Txn& tx, const RepositoryId& id, const image::Digest& digest) {
        if (cached_.find(id.image_key(digest))) tx.erase(cached_, id.image_key(digest));
      });
}

void PullThrough::write_cached(store::Txn& tx, const std::string& key, const std::string& tag) {
  auto row = tx.get(cached_, key).value_or(CachedRow());
  if (!tag.empty()) row.tags[tag] = parts_.clock.now();
  tx.put(cached_, key, row);
}

io::Awaitable<void> PullThrough::note_compared(RepositoryId id, image::Digest digest, std::string tag) {
  const auto key = id.image_key(digest);
  co_await store::transact(parts_.store, [&](store::Txn& tx) {
    if (parts_.repositories.find_image(id, digest)) write_cached(tx, key, tag);
  });
}

std::optional<image::Digest> PullThrough::find_local(const RepositoryId& id,
                                                     const std::string& reference) const {
  auto digest = image::Digest::parse(reference);
  if (!digest) digest = parts_.repositories.find_tag(id, reference);
  if (!digest || !parts_.repositories.find_image(id, *digest)) return std::nullopt;
  return digest;
}

std::shared_ptr<PullThrough::Arriving> PullThrough::find_arriving(const RepositoryId& id,
                                                                  const std::string& reference) const {
  if (const auto digest = image::Digest::parse(reference)) {
    const auto found = arriving_.find(id.image_key(*digest));
    return found == arriving_.end() ? nullptr : found->second;
  }
  const auto prefix = id.key() + '@';
  for (auto at = arriving_.lower_bound(prefix); at != arriving_.end() && at->first.starts_with(prefix);
       ++at) {
    if (at->second->tags.contains(reference)) return at->second;
  }
  return nullptr;
}

PullThrough::Answer PullThrough::answer_of(const ManifestUpload& upload, Part part) {
  Answer answer{upload.digest, upload.manifest.media_type, upload.bytes.size(), nullptr};
  if (part == Part::kWhole) answer.bytes = std::make_shared<const std::string>(upload.bytes);
  return answer;
}

// True as well for a tag that never came from upstream: it is its owner's.
bool PullThrough::is_fresh(const RepositoryId& id, const image::Digest& digest,
                           const std::string& tag) const {
  const auto* row = cached_.find(id.image_key(digest));
  const auto found = row ? row->tags.find(tag) : std::map<std::string, core::TimePoint>::const_iterator();
  if (!row || found == row->tags.end()) return true;
  return parts_.clock.now() - found->second < parts_.refresh;
}

// A client a rule, for its tokens' sake; a new one when the rule or its secret has changed.
std::shared_ptr<image::RegistryClient> PullThrough::client_for(const RepositoryId& id,
                                                               const PullThroughRule& rule) {
  std::optional<image::RegistryLogin> login;
  try {
    login = parts_.rules.login_of(id.account, id.region, rule);
  } catch (const aws::Fault& fault) {
    throw UpstreamError(UpstreamError::Why::kDenied, fault.what());
  }
  const auto address = upstream_of(rule);
  auto& client = clients_[id.account + '/' + id.region + '/' + normal_prefix(*rule.ecrRepositoryPrefix)];
  if (!client || client->session().address() != address || client->session().login() != login) {
    client = std::make_shared<image::RegistryClient>(parts_.executors, parts_.network, address, login);
  }
  return client;
}

PullThrough::Upstream PullThrough::upstream_for(const RepositoryId& id, const PullThroughRule& rule) {
  return {client_for(id, rule), upstream_name(rule, id.name), normal_prefix(*rule.ecrRepositoryPrefix)};
}

io::Awaitable<std::optional<PullThrough::Answer>> PullThrough::manifest(RepositoryId id,
                                                                        std::string reference, Part part,
                                                                        Age age) {
  const auto* rule = parts_.rules.match(id);
  const bool named_well = image::Digest::parse(reference) || image::valid_tag(reference);
  if (!rule || !named_well || !valid_repository_name(id.name)) co_return std::nullopt;
  if (const auto arriving = find_arriving(id, reference)) co_return answer_of(arriving->upload, part);
  const auto local = find_local(id, reference);
  if (!local) {
    const auto absent = absent_.find(id.key() + ' ' + reference);
    const bool just_asked = absent != absent_.end() && parts_.clock.now() - absent->second < kAbsentFor;
    if (just_asked && age == Age::kAsConfigured) throw_absent(id, reference, upstream_for(id, *rule));
    co_return co_await fetch(id, reference, part);
  }
  const auto tag = tag_of(reference);
  const auto* row = tag.empty() ? nullptr : cached_.find(id.image_key(*local));
  if (!row || !row->tags.contains(tag)) co_return std::nullopt;
  if (age == Age::kAsConfigured) {
    const auto rests = resting_.find(upstream_of(*rule).host);
    const bool resting = rests != resting_.end() && parts_.clock.now() < rests->second;
    if (resting || is_fresh(id, *local, tag)) co_return std::nullopt;
  }
  std::optional<Answer> newer;
  try {
    newer = co_await compare(id, tag, *local, part);
  } catch (const UpstreamError& error) {
    if (age == Age::kNow) throw;
    core::log::warn("{}:{} is served as it was cached: {}", id.name, tag, error.what());
    asked_counter("served_stale").add();
  }
  co_return newer;
}

io::Awaitable<std::optional<PullThrough::Answer>> PullThrough::compare(RepositoryId id, std::string tag,
                                                                       image::Digest local, Part part) {
  const auto* rule = parts_.rules.match(id);
  if (!rule) co_return std::nullopt;
  auto upstream = upstream_for(id, *rule);
  const auto host = upstream.client->host();
  std::optional<image::ManifestHead> head;
  std::optional<UpstreamError> failed;
  try {
    auto work = upstream.client->manifest_head(upstream.repository, tag, image::kAskOnce);
    head =
        co_await boost::asio::co_spawn(parts_.executors.net(), std::move(work), boost::asio::use_awaitable);
  } catch (const image::RegistryFailure& failure) {
    failed = to_upstream_error(failure);
  }
  if (failed) {
    const auto rest = std::max<std::chrono::seconds>(kRestFor, failed->wait().value_or(kRestFor));
    resting_.insert_or_assign(host, parts_.clock.now() + rest);
    if (resting_.size() > kMostNotes) resting_.clear();
    throw *failed;
  }
  const auto* repository = parts_.repositories.find(id);
  const bool moved = head && head->digest != local;
  if (moved && repository && is_immutable(*repository, tag)) {
    core::log::info("{}:{} has moved in registry {}, but is immutable here: kept", id.name, tag, host);
    co_await note_compared(id, local, tag);
    co_return std::nullopt;
  }
  if (!head)
    core::log::info("registry {} no longer has {}:{}: kept as it is here", host, upstream.repository, tag);
  if (!moved) {
    asked_counter("unchanged").add();
    co_await note_compared(id, local, tag);
    co_return std::nullopt;
  }
  auto answer = co_await fetch(id, tag, part);
  co_return answer;
}

// One question for all who ask at once; a HEAD and a GET are different questions.
io::Awaitable<PullThrough::Answer> PullThrough::fetch(RepositoryId id, std::string reference, Part part) {
  const auto* rule = parts_.rules.match(id);
  auto upstream = upstream_for(id, *rule);
  const auto key = fmt::format("{} {} {}", id.key(), reference, part == Part::kHead ? "head" : "whole");
  auto work = [this, id, reference, part, upstream]() {
    return part == Part::kHead ? fetch_head(id, reference, upstream) : fetch_whole(id, reference, upstream);
  };
  co_return co_await fetches_.run(key, "fetch a manifest from upstream", std::move(work));
}

io::Awaitable<PullThrough::Answer> PullThrough::fetch_head(RepositoryId id, std::string reference,
                                                           Upstream upstream) {
  std::optional<image::ManifestHead> head;
  std::optional<UpstreamError> failed;
  try {
    auto work = upstream.client->manifest_head(upstream.repository, reference);
    head =
        co_await boost::asio::co_spawn(parts_.executors.net(), std::move(work), boost::asio::use_awaitable);
  } catch (const image::RegistryFailure& failure) {
    failed = to_upstream_error(failure);
  }
  if (failed) throw *failed;
  if (!head) throw_absent(id, reference, upstream);
  if (head->digest && head->size > 0) co_return Answer{*head->digest, head->media_type, head->size, nullptr};
  co_return co_await fetch_whole(std::move(id), std::move(reference),
                                 std::move(upstream));  // it does not say
}

io::Awaitable<PullThrough::Answer> PullThrough::fetch_whole(RepositoryId id, std::string reference,
                                                            Upstream upstream) {
  std::optional<image::FetchedManifest> fetched;
  std::optional<ManifestUpload> upload;
  std::optional<UpstreamError> failed;
  try {
    auto work = upstream.client->manifest(upstream.repository, reference);
    fetched =
        co_await boost::asio::co_spawn(parts_.executors.net(), std::move(work), boost::asio::use_awaitable);
    if (fetched) upload = ManifestUpload::read(std::move(fetched->bytes), fetched->media_type);
  } catch (const image::RegistryFailure& failure) {
    failed = to_upstream_error(failure);
  } catch (const image::BadDocument& bad) {
    failed = UpstreamError(UpstreamError::Why::kUnavailable,
                           fmt::format("Registry {} sent no manifest that can be read for {} of {}: {}",
                                       upstream.client->host(), reference, upstream.repository, bad.what()));
  }
  if (failed) {
    asked_counter("failed").add();
    throw *failed;
  }
  if (!upload) {
    note_absent(id.key() + ' ' + reference);
    throw_absent(id, reference, upstream);
  }
  asked_counter("fetched").add();
  const auto tag = tag_of(reference);
  co_await parts_.templates.make_for(id, Cause::kPullThroughCache);
  if (upload->manifest.is_index()) co_return co_await take_index(id, tag, std::move(*upload));
  co_return begin_arrival(id, tag, std::move(*upload), std::move(upstream));
}

void PullThrough::note_absent(const std::string& key) {
  if (absent_.size() >= kMostNotes) absent_.clear();
  absent_.insert_or_assign(key, parts_.clock.now());
}

void PullThrough::throw_absent(const RepositoryId& id, const std::string& reference,
                               const Upstream& upstream) const {
  const auto where = fmt::format("'{}' of '{}' in the upstream registry {}", reference, upstream.repository,
                                 upstream.client->host());
  const auto text = parts_.repositories.find(id)
                        ? fmt::format("Requested image not found: '{}' in the '{}' repository, nor {}",
                                      reference, id.name, where)
                        : fmt::format("{}, and there is no {}", no_repository_text(id), where);
  throw UpstreamError(UpstreamError::Why::kAbsent, text);
}

io::Awaitable<PullThrough::Answer> PullThrough::take_index(RepositoryId id, std::string tag,
                                                           ManifestUpload upload) {
  auto answer = answer_of(upload, Part::kWhole);
  co_await put_tag(id, std::move(upload), tag, Repositories::Children::kMayFollow);
  co_return answer;
}

PullThrough::Answer PullThrough::begin_arrival(const RepositoryId& id, const std::string& tag,
                                               ManifestUpload upload, Upstream upstream) {
  const auto key = id.image_key(upload.digest);
  auto answer = answer_of(upload, Part::kWhole);
  auto& arriving = arriving_[key];
  if (!arriving) {
    if (arriving_.size() > kMostArriving) {
      arriving_.erase(key);
      throw UpstreamError(UpstreamError::Why::kUnavailable,
                          fmt::format("{} images are being fetched from upstream registries: try again later",
                                      kMostArriving));
    }
    arriving = std::make_shared<Arriving>(Arriving{std::move(upload), {}, std::move(upstream)});
    if (!tag.empty()) arriving->tags.insert(tag);
    io::spawn_detached(parts_.executors.control(), "fetch an image from upstream", arrive(id, arriving));
    return answer;
  }
  if (!tag.empty()) arriving->tags.insert(tag);
  return answer;
}

}  // namespace sampan::ecr
