#include "ecr/pending_manifests.h"

#include "core/log.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kSmall = 128 * 1024;
constexpr std::chrono::milliseconds kGather{500};
constexpr std::size_t kRowsATransaction = 256;

}  // namespace

PendingManifests::PendingManifests(store::Store& store, io::Executors& executors,
                                   image::ContentStore& content)
    : store_(store), executors_(executors), content_(content), rows_(store, "/ecr/pending/") {
  repair();
  if (rows_.size() > 0) begin();
}

void PendingManifests::repair() const {
  for (const auto& [key, row] : rows_) {
    const auto& bytes = row.value.bytes;
    const auto digest = image::Digest::parse(key);
    if (!digest || image::Digest::of(bytes, digest->algorithm()) != *digest) {
      throw core::Error("read the manifest " + key, "the row's bytes are others");
    }
    const auto size = content_.size(*digest);
    if (size == bytes.size() && content_.read(*digest, *size) == bytes) continue;
    core::log::info("manifest {} was not on the disk yet when the daemon stopped: written again", key);
    content_.remove(*digest);
    auto blob = content_.writer(io::Durability::kFlushed, digest->algorithm());
    blob.write(bytes);
    blob.finish(*digest);
  }
}

io::Awaitable<void> PendingManifests::store(const image::Digest& digest, const std::string& bytes) {
  if (bytes.size() <= kSmall && content_.stage(digest, bytes)) {
    begin();
    co_return;
  }
  auto* content = &content_;
  co_await io::offload(executors_, [content, &digest, &bytes] {
    if (content->has(digest)) return;
    auto blob = content->writer(io::Durability::kFlushed, digest.algorithm());
    blob.write(bytes);
    blob.finish(digest);
  });
}

void PendingManifests::guard(store::Txn& tx, const image::Digest& digest, const std::string& bytes) {
  if (bytes.size() > kSmall) return;
  tx.put(rows_, digest.str(), PendingRow{bytes});
}

void PendingManifests::begin() {
  if (settling_) return;
  settling_ = true;
  io::spawn_detached(executors_.control(), "flush manifests", settle());
}

std::vector<std::string> PendingManifests::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, row] : rows_) keys.push_back(key);
  return keys;
}

io::Awaitable<void> PendingManifests::settle() {
  try {
    do {
      co_await io::sleep_for(kGather);
      // Those whose rows are there are staged or in files: only those rows may go after the flush.
      const auto written = keys();
      auto* content = &content_;
      co_await io::offload(executors_, [content] {
        content->write_staged();
        content->flush();
      });
      co_await forget(written);
    } while (rows_.size() > 0);
  } catch (const core::Error& error) {
    // The bytes are safe where they are; the next manifest begins another attempt.
    core::log::warn("cannot flush manifests: {}", error.what());
  }
  settling_ = false;
}

io::Awaitable<void> PendingManifests::forget(const std::vector<std::string>& keys) {
  for (std::size_t from = 0; from < keys.size(); from += kRowsATransaction) {
    const auto end = std::min(keys.size(), from + kRowsATransaction);
    co_await store::transact(store_, [&](store::Txn& tx) {
      for (auto at = from; at < end; ++at) tx.erase(rows_, keys[at]);
    });
  }
}

}  // namespace sampan::ecr
