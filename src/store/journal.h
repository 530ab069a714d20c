// Where a local store's records become durable. One journal belongs to one LocalStore.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/keyspace.h"
#include "store/leases.h"

namespace sampan::store {

// One transaction as it goes to the disk. Shared, never changed: the store keeps it to undo it, the journal's
// thread reads it.
struct Record {
  Revision revision = 0;  // the store's after it
  Effects effects;
  std::vector<LeaseEffect> leases;
};

struct Contents {
  Keyspace keyspace;
  std::vector<std::pair<LeaseId, std::chrono::milliseconds>> leases;
  LeaseId last_lease = 0;
};

// How far the disk is.
struct Settlement {
  std::uint64_t ticket = 0;  // everything up to here is durable
  std::string error;  // not empty: what came after it is lost, for this reason, and so is all until resume()
};

class Journal {
 public:
  using Teller = std::function<void(Settlement)>;

  virtual ~Journal() = default;
  // Once, before start(). Blocking. Throws core::Error when what is stored cannot be read.
  virtual Contents load() = 0;
  // `tell` is called on any thread, in order, until the journal is destroyed.
  virtual void start(Teller tell) = 0;
  // Takes the record to the disk after all before it. Tickets grow. Does not block.
  virtual void append(std::uint64_t ticket, std::shared_ptr<const Record> record) = 0;
  // After a failure was told and its records undone: take records again.
  virtual void resume() = 0;
};

}  // namespace sampan::store
