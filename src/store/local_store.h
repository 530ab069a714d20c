// The Store of one machine: a map in memory that all reads and compares see, and a journal that makes it
// durable.
//
//   commit():  compares  ->  map  ->  watchers  ->  journal .......... wait ..........  ->  return
//              \_________ at once, on the control strand ________/   (one fsync for many)
//
// When the journal fails, everything that is not durable yet is taken back, the newest first, because each
// may stand on the one before; watchers hear the reverse; the callers get the error; and the store goes on.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <exception>
#include <memory>

#include "store/journal.h"
#include "store/keyspace.h"
#include "store/leases.h"
#include "store/store.h"
#include "store/watchers.h"

namespace sampan::store {

// All calls on the strand `control`; made before it runs, destroyed on it or when it has stopped. What is
// still waiting for the disk when it is destroyed is written, but its callers are not resumed.
class LocalStore final : public Store {
 public:
  // Without a journal it lives in memory alone.
  LocalStore(boost::asio::any_io_executor control, std::unique_ptr<Journal> journal);
  ~LocalStore() override;

  boost::asio::awaitable<CommitResult> commit(Transaction transaction) override;
  std::optional<KeyValue> get(std::string_view key) const override;
  std::vector<KeyValue> range(std::string_view prefix, std::string_view start = {},
                              std::size_t limit = 0) const override;
  const Keyspace& keyspace() const override { return keyspace_; }
  Revision revision() const override;
  WatchId watch(std::string prefix, Watcher watcher) override;
  void unwatch(WatchId id) override;
  void after_this(std::function<void()> work) override;
  boost::asio::awaitable<LeaseId> grant_lease(std::chrono::milliseconds ttl) override;
  boost::asio::awaitable<bool> keep_alive(LeaseId lease) override;
  boost::asio::awaitable<void> revoke_lease(LeaseId lease) override;

 private:
  using Waiter = std::function<void(std::exception_ptr)>;
  struct Pending {
    std::uint64_t ticket = 0;
    std::shared_ptr<const Record> record;  // nothing: only waits for those before it
    std::size_t bytes = 0;
    Waiter waiter;
  };

  void check_room() const;
  // Changes memory, tells watchers, gives the record to the journal.
  void stage(std::vector<Write> writes, std::vector<LeaseEffect> leases);
  boost::asio::awaitable<void> wait_until_durable();
  void settle(const Settlement& settlement);
  void undo_pending(const std::string& error);
  void undo(const Record& record);
  void end_lease(LeaseId lease);
  void end_expired_leases();
  void arm_lease_timer();

  boost::asio::any_io_executor control_;
  Keyspace keyspace_;
  Leases leases_;
  Watchers watchers_;
  std::deque<Pending> pending_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t last_ticket_ = 0;
  boost::asio::steady_timer lease_timer_;
  std::shared_ptr<LocalStore*> self_;  // posted work holds it weakly: it may run after the store is gone
  std::unique_ptr<Journal> journal_;
};

}  // namespace sampan::store
