// Images that become another repository's too: rows only, since their content is stored once.
#include "ecr/repositories.h"
#include "ecr/tag_rules.h"

namespace sampan::ecr {

bool Repositories::copy_image(store::Txn& tx, const RepositoryId& from, const RepositoryId& to,
                              const image::Digest& digest) {
  // Read in the transaction: were the first repository to lose the image now, nothing would hold its blobs.
  const auto source = tx.get(images_, from.image_key(digest));
  if (!source || tx.get(images_, to.image_key(digest))) return false;
  const auto now = clock_.now();
  content_.has(digest);  // touched, as whatever a new row names: see collector.h
  for (const auto& blob : source->blobs) {
    content_.has(blob);
    if (!tx.get(blobs_, to.image_key(blob))) tx.put(blobs_, to.image_key(blob), BlobRow{now});
  }
  ImageRow copy;
  copy.media_type = source->media_type;
  copy.artifact_type = source->artifact_type;
  copy.size = source->size;
  copy.pushed_at = now;
  copy.children = source->children;
  copy.blobs = source->blobs;
  copy.subject = source->subject;
  tx.put(images_, to.image_key(digest), copy);
  const std::string no_tag;
  tell_image_comes(tx, {to, digest, copy, no_tag, Origin::kReplication});
  return true;
}

io::Awaitable<void> Repositories::copy_images(RepositoryId from, RepositoryId to,
                                              std::vector<image::Digest> manifests, image::Digest named,
                                              std::vector<std::string> tags) {
  struct Came {
    std::vector<image::Digest> images;
    std::vector<std::string> tags;
  };
  const auto came = co_await store::transact(store_, [&](store::Txn& tx) {
    Came fresh;
    const auto repository = tx.get(repositories_, to.key());
    if (!repository) throw Refusal(Refusal::Why::kNoRepository, no_repository_text(to));
    for (const auto& digest : manifests) {
      if (copy_image(tx, from, to, digest)) fresh.images.push_back(digest);
    }
    auto row = tx.get(images_, to.image_key(named));
    if (!row) return fresh;
    for (const auto& tag : tags) {
      const auto holder = find_tag(to, tag);
      if (holder && (*holder == named || is_immutable(*repository, tag))) continue;
      give_tag(tx, to, named, *row, tag);
      fresh.tags.push_back(tag);
    }
    if (fresh.tags.empty()) return fresh;
    tx.put(images_, to.image_key(named), *row);
    for (const auto& tag : fresh.tags) tell_image_comes(tx, {to, named, *row, tag, Origin::kReplication});
    return fresh;
  });
  for (const auto& digest : came.images) tell_image_came(to, digest, {});
  for (const auto& tag : came.tags) tell_image_came(to, named, tag);
}

}  // namespace sampan::ecr
