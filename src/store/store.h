// The state store's seam: an ordered key-value map with revisions, compare-and-set transactions, prefix
// watch and leases; what etcd offers, so that etcd and SQLite are engines of one seam.
//
// Threads: every call and every watcher callback is on the control strand.
// Order: revisions grow by one per transaction that writes. Watchers are told of each transaction in
// revision order, before commit() returns to its caller, possibly before it is durable.
// Durability: commit() returns only when the transaction would survive kill -9. If the disk refuses,
// commit() throws core::Error and watchers are told the reverse of what they were told, so that memory
// and disk agree again.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::store {

using Revision = std::int64_t;

struct KeyValue {
  std::string key;
  std::string value;
  Revision created = 0;   // of the transaction that made the key
  Revision modified = 0;  // of the last one that wrote it
};

// "key was last written by `modified`"; 0 means "key is absent".
struct Compare {
  std::string key;
  Revision modified = 0;
};

using LeaseId = std::int64_t;  // 0: no lease

struct Write {
  std::string key;
  std::optional<std::string> value;  // nothing: delete the key
  LeaseId lease = 0;                 // the key goes when the lease ends
};

struct Transaction {
  std::vector<Compare> compares;
  std::vector<Write> writes;
};

struct CommitResult {
  bool succeeded = false;  // false: a compare failed and nothing was written
  Revision revision = 0;   // of this transaction, or the store's now
};

struct Change {
  std::string key;
  std::optional<KeyValue> before;
  std::optional<KeyValue> after;
};

// All changes of one transaction under the watched prefix.
using Watcher = std::function<void(const std::vector<Change>&)>;
using WatchId = std::uint64_t;

class Keyspace;

class Store {
 public:
  virtual ~Store() = default;
  virtual boost::asio::awaitable<CommitResult> commit(Transaction transaction) = 0;
  virtual std::optional<KeyValue> get(std::string_view key) const = 0;
  // Keys from `start` (at least the prefix) on that begin with `prefix`, in order, at most `limit` (0: all).
  virtual std::vector<KeyValue> range(std::string_view prefix, std::string_view start = {},
                                      std::size_t limit = 0) const = 0;
  // All rows, without copies: every engine has them in memory, so that reading never waits. What is seen there
  // is good until the next commit.
  virtual const Keyspace& keyspace() const = 0;
  virtual Revision revision() const = 0;
  // Changes after now. The callback must not throw and must not commit (ring a bell instead).
  virtual WatchId watch(std::string prefix, Watcher watcher) = 0;
  virtual void unwatch(WatchId id) = 0;
  // Runs `work` on the control strand once what runs there now has suspended. Dropped when the store goes first.
  virtual void after_this(std::function<void()> work) = 0;
  virtual boost::asio::awaitable<LeaseId> grant_lease(std::chrono::milliseconds ttl) = 0;
  virtual boost::asio::awaitable<bool> keep_alive(LeaseId lease) = 0;  // false: it has ended
  virtual boost::asio::awaitable<void> revoke_lease(LeaseId lease) = 0;
};

}  // namespace sampan::store
