#include "ecr/repositories.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/log.h"
#include "ecr/storage_class.h"
#include "ecr/tag_rules.h"

namespace sampan::ecr {
namespace {

constexpr int kDeepestIndex = 4;
constexpr std::size_t kRowsATransaction = 256;

Refusal no_repository(const RepositoryId& id) {
  return {Refusal::Why::kNoRepository, no_repository_text(id)};
}

ImageRow make_row(const ManifestUpload& upload, core::TimePoint now) {
  const auto& manifest = upload.manifest;
  ImageRow row;
  row.media_type = manifest.media_type;
  row.artifact_type = manifest.effective_artifact_type();
  row.size = manifest.content_size();
  row.pushed_at = now;
  for (const auto& child : manifest.manifests) row.children.push_back(child.digest);
  if (manifest.config) row.blobs.push_back(manifest.config->digest);
  for (const auto& layer : manifest.layers) {
    if (!layer.foreign()) row.blobs.push_back(layer.digest);
  }
  if (manifest.subject) row.subject = manifest.subject->digest;
  return row;
}

std::string join_digests(const std::vector<std::string>& digests) {
  return fmt::format("[{}]", fmt::join(digests, ", "));
}

// The keys under a repository: its own "…/name@sha256:…", not those of "…/name/deeper".
template <class Row>
std::vector<std::string> keys_of(const store::PackedTable<Row>& table, const RepositoryId& id) {
  const auto prefix = id.key() + '@';
  std::vector<std::string> keys;
  for (auto row = table.lower_bound(prefix); row != table.end() && row.key().starts_with(prefix); ++row) {
    keys.emplace_back(row.key());
  }
  return keys;
}

}  // namespace

std::string no_repository_text(const RepositoryId& id) {
  return fmt::format("The repository with name '{}' does not exist in the registry with id '{}'", id.name,
                     id.account);
}

ManifestUpload ManifestUpload::read(std::string bytes, std::string_view content_type,
                                    core::HashAlgorithm algorithm) {
  auto manifest = image::parse_manifest(bytes, content_type);
  auto digest = image::Digest::of(bytes, algorithm);
  return {std::move(digest), std::move(bytes), std::move(manifest)};
}

Repositories::Repositories(store::Store& store, io::Executors& executors, image::ContentStore& content,
                           core::Clock& clock)
    : store_(store),
      executors_(executors),
      content_(content),
      clock_(clock),
      repositories_(store, "/ecr/repositories/"),
      images_(store, "/ecr/images/"),
      blobs_(store, "/ecr/blobs/"),
      pending_(store, executors, content) {
  index_.load(images_);
  images_.on_change([this](const std::string& key, const std::string* before, const std::string* after) {
    index_.change(key, before, after);
    forget_cached(key, before, after);
    if (!before || after) return;
    const auto repository = key.substr(0, key.rfind('@') + 1);
    for (const auto& blob : store::RowCodec<ImageRow>::decode(*before).blobs) {
      link_uses_.touch(repository + blob.str(), clock_.now());
    }
  });
}

void Repositories::when_link_changes(std::function<void(const std::string&, bool)> listener) {
  blobs_.on_change([listener = std::move(listener)](const std::string& key, const std::string* before,
                                                    const std::string* after) {
    if ((before == nullptr) != (after == nullptr)) listener(key, after != nullptr);
  });
}

const RepositoryRow& Repositories::get(const RepositoryId& id) const {
  if (const auto* row = find(id)) return *row;
  throw no_repository(id);
}

const ImageRow* Repositories::find_image(const RepositoryId& id, const image::Digest& digest) const {
  return images_.find(id.image_key(digest));
}

std::optional<image::Digest> Repositories::find_tag(const RepositoryId& id, std::string_view tag) const {
  return index_.find_tag(id.key(), tag);
}

bool Repositories::has_blob(const RepositoryId& id, const image::Digest& digest) const {
  const auto key = id.image_key(digest);
  if (!blobs_.contains(key)) return false;
  link_uses_.touch(key, clock_.now());
  return true;
}

io::Awaitable<void> Repositories::create(RepositoryId id, RepositoryRow row,
                                         std::function<void(store::Txn&)> more) {
  row.created_at = clock_.now();
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (tx.get(repositories_, id.key())) {
      throw Refusal(Refusal::Why::kRepositoryExists,
                    fmt::format("The repository with name '{}' already exists in the registry with id '{}'",
                                id.name, id.account));
    }
    if (gates_.repository) gates_.repository(id);
    tx.put(repositories_, id.key(), row);
    if (more) more(tx);
  });
}

void Repositories::refuse_unless_empty(const RepositoryId& id) const {
  if (index_.image_count(id.key()) == 0) return;
  throw Refusal(
      Refusal::Why::kRepositoryNotEmpty,
      fmt::format("The repository with name '{}' in registry with id '{}' cannot be deleted because it "
                  "still contains images",
                  id.name, id.account));
}

// Of a large repository the rows go in pieces, images first, and the repository last: each piece leaves a
// state that is true in itself, and a repository made anew under the name never finds the old one's rows.
io::Awaitable<void> Repositories::remove_most_rows(RepositoryId id) {
  while (true) {
    auto images = keys_of(images_, id);
    auto blobs = keys_of(blobs_, id);
    if (images.size() + blobs.size() <= kRowsATransaction) co_return;
    images.resize(std::min(images.size(), kRowsATransaction));
    blobs.resize(images.empty() ? std::min(blobs.size(), kRowsATransaction) : 0);
    co_await store::transact(store_, [&](store::Txn& tx) {
      for (const auto& key : images) erase_image(tx, id, digest_of_key(key));
      for (const auto& key : blobs) tx.erase(blobs_, key);
    });
  }
}

void Repositories::erase_image(store::Txn& tx, const RepositoryId& id, const image::Digest& digest) {
  for (const auto& listener : image_goes_) listener(tx, id, digest);
  tx.erase(images_, id.image_key(digest));
}

void Repositories::tell_image_came(const RepositoryId& id, const image::Digest& digest,
                                   const std::string& tag) const {
  for (const auto& listener : image_came_) listener(id, digest, tag);
}

void Repositories::tell_image_comes(store::Txn& tx, const Arrival& arrival) const {
  for (const auto& listener : image_comes_) listener(tx, arrival);
}

io::Awaitable<RepositoryRow> Repositories::remove(RepositoryId id, bool force) {
  get(id);
  if (!force) refuse_unless_empty(id);
  co_await remove_most_rows(id);
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    auto row = tx.get(repositories_, id.key());
    if (!row) throw no_repository(id);
    if (!force) refuse_unless_empty(id);
    for (const auto& key : keys_of(images_, id)) erase_image(tx, id, digest_of_key(key));
    for (const auto& key : keys_of(blobs_, id)) tx.erase(blobs_, key);
    for (const auto& listener : repository_goes_) listener(tx, id);
    tx.erase(repositories_, id.key());
    return *row;
  });
}

io::Awaitable<void> Repositories::update(RepositoryId id, std::function<void(RepositoryRow&)> change) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    auto row = tx.get(repositories_, id.key());
    if (!row) throw no_repository(id);
    change(*row);
    tx.put(repositories_, id.key(), *row);
  });
}

void Repositories::require(store::Txn& tx, const RepositoryId& id) const {
  if (!tx.get(repositories_, id.key())) throw no_repository(id);
}

io::Awaitable<ImageRow> Repositories::change_image(RepositoryId id, image::Digest digest,
                                                   std::function<void(ImageRow&)> change) {
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    auto row = tx.get(images_, id.image_key(digest));
    if (!row) throw Refusal(Refusal::Why::kNoImage, "Requested image not found");
    change(*row);
    tx.put(images_, id.image_key(digest), *row);
    return *row;
  });
}

io::Awaitable<std::optional<std::uint64_t>> Repositories::size_of(image::Digest digest) const {
  if (const auto here = content_.size(digest)) co_return here;
  if (!tier_) co_return std::nullopt;
  co_return co_await tier_->size(std::move(digest));
}

io::Awaitable<void> Repositories::change_images(RepositoryId id, std::vector<image::Digest> digests,
                                                image::Digest needed,
                                                std::function<void(const image::Digest&, ImageRow&)> change) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    for (const auto& digest : digests) {
      auto row = tx.get(images_, id.image_key(digest));
      if (!row && digest == needed) throw Refusal(Refusal::Why::kNoImage, "Requested image not found");
      if (!row) continue;
      const auto before = *row;
      change(digest, *row);
      if (!(*row == before)) tx.put(images_, id.image_key(digest), *row);
    }
  });
}

io::Awaitable<void> Repositories::link_blob(RepositoryId id, image::Digest digest) {
  const auto now = clock_.now();
  const auto held = content_.hold();
  // From here the file stays until the row is there: see collector.h.
  if (!content_.has(digest) && !(co_await size_of(digest))) {
    throw Refusal(Refusal::Why::kBlobsMissing, "The blob " + digest.str() + " is not in the content store",
                  {digest.str()});
  }
  link_uses_.touch(id.image_key(digest), now);
  if (tier_) co_await tier_->keep(digest);
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (!tx.get(repositories_, id.key())) throw no_repository(id);
    if (tx.get(blobs_, id.image_key(digest))) return;
    if (gates_.blob) gates_.blob(id, digest);
    tx.put(blobs_, id.image_key(digest), BlobRow{now});
  });
}

bool Repositories::link_is_idle(const std::string& key, core::TimePoint cutoff) const {
  const auto* row = blobs_.find(key);
  if (!row || row->linked_at >= cutoff || link_uses_.last(key) >= cutoff) return false;
  return !index_.needs(key.substr(0, key.rfind('@')), digest_of_key(key));
}

io::Awaitable<std::size_t> Repositories::unlink_idle(std::vector<std::string> keys, core::TimePoint cutoff) {
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    std::size_t gone = 0;
    for (const auto& key : keys) {
      // Looked at again: since the keys were chosen, a manifest may have come or a client may have asked.
      if (!tx.get(blobs_, key) || !link_is_idle(key, cutoff)) continue;
      tx.erase(blobs_, key);
      ++gone;
    }
    return gone;
  });
}

io::Awaitable<void> Repositories::unlink_blob(RepositoryId id, image::Digest digest) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (tx.get(blobs_, id.image_key(digest))) tx.erase(blobs_, id.image_key(digest));
  });
}

void Repositories::check_references(const RepositoryId& id, const image::Manifest& manifest,
                                    Children children) const {
  std::vector<std::string> missing;
  const auto need_blob = [&](const image::Descriptor& descriptor) {
    if (!descriptor.foreign() && !has_blob(id, descriptor.digest)) missing.push_back(descriptor.digest.str());
  };
  if (manifest.config) need_blob(*manifest.config);
  for (const auto& layer : manifest.layers) need_blob(layer);
  if (!missing.empty()) {
    auto text = "Layers with digests '" + join_digests(missing) +
                "' required for pushing image into repository "
                "with name '" +
                id.name + "' in the registry with id '" + id.account + "' do not exist";
    throw Refusal(Refusal::Why::kBlobsMissing, text, std::move(missing));
  }
  if (children == Children::kMayFollow) return;
  for (const auto& child : manifest.manifests) {
    if (!find_image(id, child.digest)) missing.push_back(child.digest.str());
  }
  if (missing.empty()) return;
  auto text = "The images with digests '" + join_digests(missing) +
              "' required for pushing image into "
              "repository with name '" +
              id.name + "' in the registry with id '" + id.account + "' do not exist";
  throw Refusal(Refusal::Why::kImagesMissing, text, std::move(missing));
}

void Repositories::give_tag(store::Txn& tx, const RepositoryId& id, const image::Digest& digest,
                            ImageRow& row, const std::string& tag) {
  if (const auto holder = find_tag(id, tag); holder && *holder != digest) {
    auto before = tx.get(images_, id.image_key(*holder));
    if (before) {
      std::erase(before->tags, tag);
      tx.put(images_, id.image_key(*holder), *before);
    }
  }
  if (row.tags.size() >= kMostTagsOfImage) {
    throw Refusal(
        Refusal::Why::kTooManyTags,
        fmt::format("The image with digest '{}' in the '{}' repository has {} tags already, which is "
                    "the most an image may have",
                    digest.str(), id.name, kMostTagsOfImage));
  }
  row.tags.insert(std::lower_bound(row.tags.begin(), row.tags.end(), tag), tag);
}

Repositories::Put Repositories::place(store::Txn& tx, const RepositoryId& id, const ManifestUpload& upload,
                                      const std::string& tag, Origin origin, Children children) {
  const auto repository = tx.get(repositories_, id.key());
  if (!repository) throw no_repository(id);
  check_references(id, upload.manifest, children);
  auto row = tx.get(images_, id.image_key(upload.digest));
  const bool tagged = row && std::binary_search(row->tags.begin(), row->tags.end(), tag);
  const bool asleep = row && status_of(*row, clock_.now()) != ImageStatus::kActive;
  if (row && !asleep && (tag.empty() || tagged)) return Put::kUnchanged;
  const bool held = !tag.empty() && !tagged && find_tag(id, tag) && is_immutable(*repository, tag);
  if (held && origin == Origin::kReplication) {
    return row && !asleep ? Put::kUnchanged : place(tx, id, upload, {}, origin, children);
  }
  if (held) {
    throw Refusal(Refusal::Why::kTagImmutable,
                  fmt::format("The image tag '{}' already exists in the '{}' repository and cannot be "
                              "overwritten because the tag is immutable.",
                              tag, id.name));
  }
  if (!row && gates_.image) gates_.image(id);
  if (!row) row = make_row(upload, clock_.now());
  wake(*row, clock_.now());  // an archived image that is pushed again is back
  if (!tag.empty() && !tagged) give_tag(tx, id, upload.digest, *row, tag);
  tx.put(images_, id.image_key(upload.digest), *row);
  tell_image_comes(tx, {id, upload.digest, *row, tag, origin});
  return Put::kNew;
}

io::Awaitable<Repositories::Put> Repositories::put_image(RepositoryId id, ManifestUpload upload,
                                                         std::string tag, Origin origin, Children children) {
  get(id);
  const auto held = content_.hold();                // the manifest's file, until its row is there
  check_references(id, upload.manifest, children);  // before anything is written for it
  co_await pending_.store(upload.digest, upload.bytes);
  if (tier_) co_await tier_->keep(upload.digest);
  const auto put = co_await store::transact(store_, [&](store::Txn& tx) {
    const auto placed = place(tx, id, upload, tag, origin, children);
    if (placed == Put::kNew) pending_.guard(tx, upload.digest, upload.bytes);
    return placed;
  });
  if (put == Put::kNew) tell_image_came(id, upload.digest, tag);
  co_return put;
}

io::Awaitable<void> Repositories::remove_image(RepositoryId id, image::Digest digest) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (!tx.get(repositories_, id.key())) throw no_repository(id);
    if (!tx.get(images_, id.image_key(digest)))
      throw Refusal(Refusal::Why::kNoImage, "Requested image not found");
    std::vector<std::string> parents;
    for (const auto& parent : index_.parents(id.key(), digest)) parents.push_back(parent.str());
    if (!parents.empty()) {
      auto text = "Requested image referenced by manifest list: " + join_digests(parents);
      throw Refusal(Refusal::Why::kHeldByIndex, text, std::move(parents));
    }
    erase_image(tx, id, digest);
  });
}

io::Awaitable<image::Digest> Repositories::remove_tag(RepositoryId id, std::string tag, LastTag last) {
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    if (!tx.get(repositories_, id.key())) throw no_repository(id);
    const auto digest = find_tag(id, tag);
    auto row = digest ? tx.get(images_, id.image_key(*digest)) : std::nullopt;
    if (!row) throw Refusal(Refusal::Why::kNoImage, "Requested image not found");
    std::erase(row->tags, tag);
    const bool goes =
        row->tags.empty() && last == LastTag::kRemovesImage && index_.parents(id.key(), *digest).empty();
    if (goes)
      erase_image(tx, id, *digest);
    else
      tx.put(images_, id.image_key(*digest), *row);
    return *digest;
  });
}

// An index and the images in it, these first.
io::Awaitable<std::vector<ManifestUpload>> Repositories::read_all(image::Digest manifest) {
  auto* content = &content_;
  co_return co_await io::offload(executors_, [content, manifest] {
    std::vector<ManifestUpload> uploads;
    std::vector<image::Digest> level{manifest};
    for (int depth = 0; depth < kDeepestIndex && !level.empty(); ++depth) {
      std::vector<image::Digest> next;
      for (const auto& digest : level) {
        content->has(digest);  // touched, as all it names: they are about to be named by rows
        uploads.push_back(
            ManifestUpload::read(content->read(digest, image::kLargestManifest), {}, digest.algorithm()));
        const auto& named = uploads.back().manifest;
        if (named.config) content->has(named.config->digest);
        for (const auto& layer : named.layers) content->has(layer.digest);
        for (const auto& child : uploads.back().manifest.manifests) {
          // Of an index that was pulled for one platform, only that platform's image is here.
          if (content->has(child.digest)) next.push_back(child.digest);
        }
      }
      level = std::move(next);
    }
    std::reverse(uploads.begin(), uploads.end());
    return uploads;
  });
}

io::Awaitable<void> Repositories::publish(RepositoryId id, std::string tag, image::Digest manifest) {
  const auto held = content_.hold();
  const auto uploads = co_await read_all(manifest);
  if (tier_) {
    for (const auto& upload : uploads) {
      for (const auto& blob : make_row(upload, clock_.now()).blobs) co_await tier_->keep(blob);
      co_await tier_->keep(upload.digest);
    }
  }
  const auto now = clock_.now();
  co_await store::transact(store_, [&](store::Txn& tx) {
    const auto repository = tx.get(repositories_, id.key());
    RepositoryRow fresh;
    fresh.created_at = now;
    if (!repository && gates_.repository) gates_.repository(id);
    if (!repository) tx.put(repositories_, id.key(), fresh);
    const auto holder = find_tag(id, tag);
    if (holder && *holder != manifest && is_immutable(repository.value_or(fresh), tag)) {
      throw Refusal(Refusal::Why::kTagImmutable,
                    fmt::format("The image tag '{}' already exists in the '{}' repository and cannot be "
                                "overwritten because the tag is immutable.",
                                tag, id.name));
    }
    for (const auto& upload : uploads) {
      auto row = tx.get(images_, id.image_key(upload.digest));
      bool comes = !row;
      if (!row && gates_.image) gates_.image(id);
      if (!row) row = make_row(upload, now);
      wake(*row, now);
      for (const auto& blob : row->blobs) {
        if (tx.get(blobs_, id.image_key(blob))) continue;
        if (gates_.blob) gates_.blob(id, blob);
        tx.put(blobs_, id.image_key(blob), BlobRow{now});
      }
      const bool named = upload.digest == manifest;
      if (named && !std::binary_search(row->tags.begin(), row->tags.end(), tag)) {
        give_tag(tx, id, upload.digest, *row, tag);
        comes = true;
      }
      tx.put(images_, id.image_key(upload.digest), *row);
      const auto given = named ? tag : std::string();
      if (comes) tell_image_comes(tx, {id, upload.digest, *row, given, Origin::kPush});
    }
  });
  for (const auto& upload : uploads) {
    tell_image_came(id, upload.digest, upload.digest == manifest ? tag : std::string());
  }
}

void Repositories::note_pull(const RepositoryId& id, const image::Digest& digest) {
  const auto* row = find_image(id, digest);
  const auto now = clock_.now();
  if (!row || (row->pulled_at && now - *row->pulled_at < kPullNoteInterval)) return;
  io::spawn_detached(executors_.control(), "note a pull", write_pull(id.image_key(digest), now));
}

io::Awaitable<void> Repositories::write_pull(std::string key, core::TimePoint now) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    auto row = tx.get(images_, key);
    if (!row || (row->pulled_at && now - *row->pulled_at < kPullNoteInterval)) return;
    row->pulled_at = now;
    tx.put(images_, key, *row);
  });
}

}  // namespace sampan::ecr
