// Makes manifests durable without a flush of their own. A small manifest is written to the content store
// unflushed, and its bytes go into the store with its image's row, whose group commit is flushed anyway. A
// little later one flush of the file system covers all files written meanwhile, and the bytes leave the store
// again. After a power failure the bytes that are still in the store are written anew at start-up.
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
  // Writes the file: flushed when it is large, unflushed when guard() will take care of it.
  io::Awaitable<void> store(const image::Digest& digest, const std::string& bytes);
  // Adds the bytes to the transaction that makes the manifest known. For every manifest given to store().
  void guard(store::Txn& tx, const image::Digest& digest, const std::string& bytes);
  std::size_t size() const { return rows_.size(); }

 private:
  void repair() const;
  void begin();
  io::Awaitable<void> settle();
  std::vector<std::string> keys() const;

  store::Store& store_;
  io::Executors& executors_;
  image::ContentStore& content_;
  store::Table<PendingRow> rows_;
  bool settling_ = false;
};

}  // namespace sampan::ecr
