// The registry's state: repositories, their images and tags, and which blobs each may show; and the changes
// that the ECR API, the OCI registry and the builder make to it alike.
//
// On the control strand, except where a line says otherwise. Bytes live in image::ContentStore; a row is
// written only when what it names is there and durable, so a crash between the two leaves at worst a blob
// that no row names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "ecr/image_index.h"
#include "ecr/link_uses.h"
#include "ecr/manifest_cache.h"
#include "ecr/names.h"
#include "ecr/pending_manifests.h"
#include "ecr/rows.h"
#include "image/blob_tier.h"
#include "image/catalog.h"
#include "image/content_store.h"
#include "image/manifest.h"
#include "io/executors.h"
#include "store/packed_table.h"

namespace sampan::ecr {

// Why a change is not made. Each front door has its own words for these.
class Refusal : public std::runtime_error {
 public:
  enum class Why {
    kNoRepository,
    kRepositoryExists,
    kRepositoryNotEmpty,
    kTagImmutable,
    kTooManyTags,
    kOverQuota,
    kBlobsMissing,
    kImagesMissing,
    kNoImage,
    kHeldByIndex,
  };
  Refusal(Why why, const std::string& message, std::vector<std::string> subjects = {})
      : std::runtime_error(message), why_(why), subjects_(std::move(subjects)) {}
  Why why() const { return why_; }
  const std::vector<std::string>& subjects() const { return subjects_; }  // digests at fault

 private:
  Why why_;
  std::vector<std::string> subjects_;
};

// A manifest as it came, read and checked for itself. Pure: made on any thread.
struct ManifestUpload {
  image::Digest digest;
  std::string bytes;
  image::Manifest manifest;

  // Named by its digest of that algorithm. Throws image::BadDocument.
  static ManifestUpload read(std::string bytes, std::string_view content_type,
                             core::HashAlgorithm algorithm = core::HashAlgorithm::kSha256);
};

inline constexpr std::chrono::hours kPullNoteInterval{1};
inline constexpr std::size_t kMostTagsOfImage = 1000;  // ECR's quota, not adjustable

class Repositories {
 public:
  Repositories(store::Store& store, io::Executors& executors, image::ContentStore& content,
               core::Clock& clock);

  const RepositoryRow* find(const RepositoryId& id) const { return repositories_.find(id.key()); }
  const RepositoryRow& get(const RepositoryId& id) const;  // throws Refusal
  const ImageRow* find_image(const RepositoryId& id, const image::Digest& digest) const;
  std::optional<image::Digest> find_tag(const RepositoryId& id, std::string_view tag) const;
  // True: it has and will have it for the collection's grace, so that a manifest can be pushed that names it.
  bool has_blob(const RepositoryId& id, const image::Digest& digest) const;
  const store::Table<RepositoryRow>& repositories() const { return repositories_; }
  const store::PackedTable<ImageRow>& images() const { return images_; }
  const ImageIndex& index() const { return index_; }
  core::TimePoint now() const { return clock_.now(); }  // from any thread
  // To keep an index of one's own, from rows as they are stored; for the life of this. Must not throw or commit.
  void on_image_change(store::PackedTable<ImageRow>::Listener listener) { images_.on_change(std::move(listener)); }
  // For collection: the links of blobs, and when each was last relied upon.
  const store::PackedTable<BlobRow>& links() const { return blobs_; }
  LinkUses& link_uses() const { return link_uses_; }

  // What hangs on a repository or an image and goes with it: told inside the transaction that removes it, to
  // erase rows of its own. Before the first request.
  using RepositoryGoes = std::function<void(store::Txn&, const RepositoryId&)>;
  using ImageGoes = std::function<void(store::Txn&, const RepositoryId&, const image::Digest&)>;
  void when_repository_goes(RepositoryGoes listener) { repository_goes_.push_back(std::move(listener)); }
  // Told after each change of a repository's row, as store::Table::on_change has it.
  void when_repository_changes(store::Table<RepositoryRow>::Listener listener) {
    repositories_.on_change(std::move(listener));
  }
  void when_image_goes(ImageGoes listener) { image_goes_.push_back(std::move(listener)); }
  // Told of each image (or index, or artifact) that became the repository's or got the tag (empty: none), by
  // whichever door, once that is durable. On the control strand; must not throw. Before the first request.
  using ImageCame = std::function<void(const RepositoryId&, const image::Digest&, const std::string& tag)>;
  void when_image_came(ImageCame listener) { image_came_.push_back(std::move(listener)); }
  // The same inside the transaction, to write rows of work that the image makes (to replicate it, to sign
  // it): no crash comes between. The body may run again, as transact() says.
  enum class Origin { kPush, kReplication };
  struct Arrival {
    const RepositoryId& repository;
    const image::Digest& digest;
    const ImageRow& row;     // as it will be
    const std::string& tag;  // that it got; empty: none
    Origin origin;
  };
  using ImageComes = std::function<void(store::Txn&, const Arrival&)>;
  void when_image_comes(ImageComes listener) { image_comes_.push_back(std::move(listener)); }

  // Asked before a blob is linked, an image added, a repository made, in that transaction; each throws
  // Refusal.
  struct Gates {
    std::function<void(const RepositoryId&, const image::Digest&)> blob;
    std::function<void(const RepositoryId&)> image;
    std::function<void(const RepositoryId&)> repository;
  };
  void set_gates(Gates gates) { gates_ = std::move(gates); }
  // Where blobs are kept for good, when that is not the content store itself; before the first request.
  void set_tier(image::BlobTier* tier) { tier_ = tier; }
  image::BlobTier* tier() const { return tier_; }
  // Of a blob, in the content store or behind it. From any executor.
  io::Awaitable<std::optional<std::uint64_t>> size_of(image::Digest digest) const;
  // Told of each link ("<repository key>@<digest>") that came or went. Must not throw.
  void when_link_changes(std::function<void(const std::string& link, bool came)> listener);

  // Each is durable when it returns, and throws Refusal.
  // `more` is done in the transaction that makes it.
  io::Awaitable<void> create(RepositoryId id, RepositoryRow row,
                             std::function<void(store::Txn&)> more = nullptr);
  // With `force` also when it has images.
  io::Awaitable<RepositoryRow> remove(RepositoryId id, bool force);
  io::Awaitable<void> update(RepositoryId id, std::function<void(RepositoryRow&)> change);
  // Throws Refusal (kNoImage) when it is not there.
  io::Awaitable<ImageRow> change_image(RepositoryId id, image::Digest digest,
                                       std::function<void(ImageRow&)> change);
  // Several of a repository in one transaction. Refused (kNoImage) when `needed` is among them and is not
  // there; others that are not there are passed over. `change` may be run again.
  io::Awaitable<void> change_images(RepositoryId id, std::vector<image::Digest> digests, image::Digest needed,
                                    std::function<void(const image::Digest&, ImageRow&)> change);
  // In a transaction of somebody else's: throws Refusal unless the repository is there when it commits.
  void require(store::Txn& tx, const RepositoryId& id) const;

  // Refused (kBlobsMissing) when the content store has it no more.
  io::Awaitable<void> link_blob(RepositoryId id, image::Digest digest);
  io::Awaitable<void> unlink_blob(RepositoryId id, image::Digest digest);
  // Takes those of `keys` ("<repository key>@<digest>") away that no manifest needs and nobody relied upon
  // since `cutoff`; how many. At most kMostUnlinked at once.
  static constexpr std::size_t kMostUnlinked = 256;
  io::Awaitable<std::size_t> unlink_idle(std::vector<std::string> keys, core::TimePoint cutoff);
  bool link_is_idle(const std::string& key, core::TimePoint cutoff) const;
  enum class Put { kNew, kUnchanged };  // kUnchanged: that image had that tag (or was there, without a tag)
  // `tag` may be empty. Everything the manifest names must be in the repository, but for the images of an
  // index that may follow (of an upstream's index only those are here that somebody asked for). A replication leaves
  // an immutable tag where it is, as AWS does: the image comes without it.
  enum class Children { kAreHere, kMayFollow };
  io::Awaitable<Put> put_image(RepositoryId id, ManifestUpload upload, std::string tag,
                               Origin origin = Origin::kPush, Children children = Children::kAreHere);
  io::Awaitable<void> remove_image(RepositoryId id, image::Digest digest);
  // The image goes with its last tag when `keep_untagged` is false. Returns its digest.
  enum class LastTag { kRemovesImage, kLeavesImage };
  io::Awaitable<image::Digest> remove_tag(RepositoryId id, std::string tag, LastTag last);
  // An image in the content store becomes the repository's under `tag`; makes the repository.
  io::Awaitable<void> publish(RepositoryId id, std::string tag, image::Digest manifest);
  // What is in one repository becomes another's as well, without a byte being copied: `manifests`, those that
  // others name first; `named` gets `tags`, but for those that the other repository holds fast with another
  // image. What has gone from the first meanwhile is left out. The other repository must be there.
  io::Awaitable<void> copy_images(RepositoryId from, RepositoryId to, std::vector<image::Digest> manifests,
                                  image::Digest named, std::vector<std::string> tags);
  // Remembers that the image was pulled now; written at most once an hour an image.
  void note_pull(const RepositoryId& id, const image::Digest& digest);

  // A manifest that was read before, ready to be sent; from any thread. nullptr: ask on the strand. So do a pull
  // that has to be noted, and one now and then whatever the entry says.
  enum class Use { kPull, kLook };
  ManifestCache::Found cached_manifest(const RepositoryId& id, std::string_view reference, Use use) const;
  // Keeps what was read for the next, if it is still what the reference names.
  void cache_manifest(const RepositoryId& id, const std::string& reference, ManifestCache::Entry entry);

 private:
  void forget_cached(const std::string& key, const std::string* before, const std::string* after);
  void refuse_unless_empty(const RepositoryId& id) const;
  io::Awaitable<void> remove_most_rows(RepositoryId id);
  void erase_image(store::Txn& tx, const RepositoryId& id, const image::Digest& digest);
  void tell_image_came(const RepositoryId& id, const image::Digest& digest, const std::string& tag) const;
  void check_references(const RepositoryId& id, const image::Manifest& manifest, Children children) const;
  Put place(store::Txn& tx, const RepositoryId& id, const ManifestUpload& upload, const std::string& tag,
            Origin origin, Children children);
  void tell_image_comes(store::Txn& tx, const Arrival& arrival) const;
  bool copy_image(store::Txn& tx, const RepositoryId& from, const RepositoryId& to,
                  const image::Digest& digest);
  void give_tag(store::Txn& tx, const RepositoryId& id, const image::Digest& digest, ImageRow& row,
                const std::string& tag);
  io::Awaitable<void> write_pull(std::string key, core::TimePoint now);
  io::Awaitable<std::vector<ManifestUpload>> read_all(image::Digest manifest);

  store::Store& store_;
  io::Executors& executors_;
  image::ContentStore& content_;
  core::Clock& clock_;
  store::Table<RepositoryRow> repositories_;
  store::PackedTable<ImageRow> images_;
  store::PackedTable<BlobRow> blobs_;
  PendingManifests pending_;
  ImageIndex index_;
  ManifestCache manifests_;
  mutable LinkUses link_uses_;
  std::vector<RepositoryGoes> repository_goes_;
  std::vector<ImageGoes> image_goes_;
  std::vector<ImageCame> image_came_;
  Gates gates_;
  image::BlobTier* tier_ = nullptr;
  std::vector<ImageComes> image_comes_;
};

std::string no_repository_text(const RepositoryId& id);

}  // namespace sampan::ecr
