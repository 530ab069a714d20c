// Makes manifests durable without a flush, or a file, of their own. A small manifest is staged in the content
// store (readable, in memory), and its bytes go into the store with its image's row, whose group commit is
// flushed anyway. A little later the files of all that came meanwhile are written, one flush of the file
// system covers them, and the bytes leave the store again. What a crash finds still in the store is written
// to its file at the next start.
//
// On the control strand; the constructor blocks, at start-up.
#pragma once

#include <string>
#include <vector>

#include "ecr/rows.h"
#include "image/content_store.h"
#include "io/executors.h"

namespace sampan::ecr {

class PendingManifests {
 public:
  PendingManifests(store::Store& store, io::Executors& executors, image::ContentStore& content);
  // Makes the bytes readable: in memory where guard() will take care of them, in a flushed file when they are
  // many. Both must live until it returns.
  io::Awaitable<void> store(const image::Digest& digest, const std::string& bytes);
  // Adds the bytes to the transaction that makes the manifest known. For every manifest given to store().
  void guard(store::Txn& tx, const image::Digest& digest, const std::string& bytes);
  std::size_t size() const { return rows_.size(); }

 private:
  void repair() const;
  void begin();
  io::Awaitable<void> settle();
  io::Awaitable<void> forget(const std::vector<std::string>& keys);
  std::vector<std::string> keys() const;

  store::Store& store_;
  io::Executors& executors_;
  image::ContentStore& content_;
  store::Table<PendingRow> rows_;
  bool settling_ = false;
};

}  // namespace sampan::ecr
