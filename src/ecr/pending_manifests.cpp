#include "ecr/pending_manifests.h"

#include "core/log.h"
#include "ecr/names.h"

namespace sampan::ecr {
namespace {

constexpr std::size_t kSmall = 128 * 1024;
constexpr std::chrono::milliseconds kGather{500};

void write(image::ContentStore& content, const image::Digest& digest, const std::string& bytes,
           io::Durability durability) {
  if (content.has(digest)) return;
  auto writer = content.writer(durability, digest.algorithm());
  writer.write(bytes);
  writer.finish(digest);
}

}  // namespace

PendingManifests::PendingManifests(store::Store& store, io::Executors& executors,
                                   image::ContentStore& content)
    : store_(store), executors_(executors), content_(content), rows_(store, "/ecr/pending/") {
  repair();
  if (rows_.size() > 0) begin();
}

void PendingManifests::repair() const {
  for (const auto& [key, row] : rows_) {
    const auto digest = digest_of_key(key);
    const auto size = content_.size(digest);
    if (size == row.value.bytes.size() && content_.read(digest, *size) == row.value.bytes) continue;
    core::log::info("manifest {} was not on the disk yet when the machine stopped: written again", key);
    content_.remove(digest);
    write(content_, digest, row.value.bytes, io::Durability::kFlushed);
  }
}

io::Awaitable<void> PendingManifests::store(const image::Digest& digest, const std::string& bytes) {
  auto* content = &content_;
  const auto* text = &bytes;
  const auto* name = &digest;
  const auto durability = bytes.size() <= kSmall ? io::Durability::kProcessCrash : io::Durability::kFlushed;
  co_await io::offload(executors_,
                       [content, name, text, durability] { write(*content, *name, *text, durability); });
}

void PendingManifests::guard(store::Txn& tx, const image::Digest& digest, const std::string& bytes) {
  if (bytes.size() > kSmall) return;
  tx.put(rows_, digest.str(), PendingRow{bytes});
  begin();
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
      // Those whose rows are there have their files written: only those may go after the flush.
      const auto written = keys();
      auto* content = &content_;
      co_await io::offload(executors_, [content] { content->flush(); });
      co_await store::transact(store_, [&](store::Txn& tx) {
        for (const auto& key : written) tx.erase(rows_, key);
      });
    } while (rows_.size() > 0);
  } catch (const core::Error& error) {
    // The bytes are safe where they are; the next manifest begins another attempt.
    core::log::warn("cannot flush manifests: {}", error.what());
  }
  settling_ = false;
}

}  // namespace sampan::ecr
