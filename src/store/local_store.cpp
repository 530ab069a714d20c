#include "store/local_store.h"

#include <fmt/core.h>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ranges>

#include "core/error.h"
#include "core/log.h"
#include "store/limits.h"

namespace sampan::store {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr auto kLeaseRetry = std::chrono::seconds(1);

std::size_t bytes_of(const Record& record) {
  std::size_t bytes = sizeof(Record);
  for (const auto& effect : record.effects) {
    bytes += sizeof(Effect) + effect.key.size();
    if (effect.before) bytes += effect.before->value.size();
    if (effect.after) bytes += effect.after->value.size();
  }
  return bytes;
}

}  // namespace

LocalStore::LocalStore(asio::any_io_executor control, std::unique_ptr<Journal> journal)
    : control_(std::move(control)),
      lease_timer_(control_),
      self_(std::make_shared<LocalStore*>(this)),
      journal_(std::move(journal)) {
  if (!journal_) return;
  Contents contents = journal_->load();
  keyspace_ = std::move(contents.keyspace);
  leases_.set_loaded_last_id(contents.last_lease);
  for (const auto& [id, ttl] : contents.leases) leases_.put(id, ttl, Clock::now());
  arm_lease_timer();
  journal_->start([control = control_, weak = std::weak_ptr(self_)](Settlement settlement) {
    asio::post(control, [weak, settlement = std::move(settlement)] {
      if (auto self = weak.lock()) (*self)->settle(settlement);
    });
  });
}

LocalStore::~LocalStore() {
  self_.reset();
  lease_timer_.cancel();
  journal_.reset();  // writes what waits
  auto abandoned = std::move(pending_);
}

std::optional<KeyValue> LocalStore::get(std::string_view key) const {
  return keyspace_.get(key);
}

std::vector<KeyValue> LocalStore::range(std::string_view prefix, std::string_view start,
                                        std::size_t limit) const {
  return keyspace_.range(prefix, start, limit);
}

Revision LocalStore::revision() const {
  return keyspace_.revision();
}

WatchId LocalStore::watch(std::string prefix, Watcher watcher) {
  return watchers_.add(std::move(prefix), std::move(watcher));
}

void LocalStore::unwatch(WatchId id) {
  watchers_.remove(id);
}

void LocalStore::after_this(std::function<void()> work) {
  asio::post(control_, [weak = std::weak_ptr(self_), work = std::move(work)] {
    if (weak.lock()) work();
  });
}

asio::awaitable<CommitResult> LocalStore::commit(Transaction transaction) {
  SAMPAN_CHECK(!watchers_.telling());
  check_limits(transaction);
  check_room();
  for (const auto& write : transaction.writes) {
    if (write.value && write.lease != 0 && !leases_.ttl(write.lease)) {
      throw core::Error(fmt::format("write '{}'", write.key), fmt::format("lease {} has ended", write.lease));
    }
  }
  if (!keyspace_.holds(transaction.compares)) co_return CommitResult{false, keyspace_.revision()};
  stage(std::move(transaction.writes), {});
  const Revision revision = keyspace_.revision();
  co_await wait_until_durable();
  co_return CommitResult{true, revision};
}

void LocalStore::check_room() const {
  if (pending_bytes_ <= kBacklogBytesLimit) return;
  throw core::Error(
      fmt::format("{} transactions wait for the disk already: it is too slow", pending_.size()));
}

void LocalStore::stage(std::vector<Write> writes, std::vector<LeaseEffect> leases) {
  Effects effects = keyspace_.apply(std::move(writes));
  if (effects.empty() && leases.empty()) return;
  auto record =
      std::make_shared<const Record>(Record{keyspace_.revision(), std::move(effects), std::move(leases)});
  watchers_.tell(record->effects);
  if (!journal_) return;
  const std::size_t bytes = bytes_of(*record);
  pending_.push_back({++last_ticket_, record, bytes, {}});
  pending_bytes_ += bytes;
  journal_->append(last_ticket_, std::move(record));
}

asio::awaitable<void> LocalStore::wait_until_durable() {
  if (pending_.empty()) co_return;
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      [this](auto handler) {
        auto executor = asio::prefer(asio::get_associated_executor(handler, control_),
                                     asio::execution::outstanding_work.tracked);
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        Waiter waiter = [executor, shared](std::exception_ptr error) {
          asio::post(executor, [shared, error] { std::move (*shared)(error); });
        };
        if (pending_.back().waiter) {
          pending_.push_back({last_ticket_, nullptr, 0, std::move(waiter)});
        } else {
          pending_.back().waiter = std::move(waiter);
        }
      },
      asio::use_awaitable);
}

void LocalStore::settle(const Settlement& settlement) {
  while (!pending_.empty() && pending_.front().ticket <= settlement.ticket) {
    auto durable = std::move(pending_.front());
    pending_.pop_front();
    pending_bytes_ -= durable.bytes;
    if (durable.waiter) durable.waiter(nullptr);
  }
  if (!settlement.error.empty()) undo_pending(settlement.error);
}

void LocalStore::undo_pending(const std::string& error) {
  core::log::error("{}; {} changes were taken back", error, pending_.size());
  auto lost = std::move(pending_);
  pending_.clear();
  pending_bytes_ = 0;
  for (const auto& pending : std::views::reverse(lost)) {
    if (pending.record) undo(*pending.record);
  }
  journal_->resume();
  auto failure = std::make_exception_ptr(core::Error(error));
  for (auto& pending : lost) {
    if (pending.waiter) pending.waiter(failure);
  }
  arm_lease_timer();
}

void LocalStore::undo(const Record& record) {
  keyspace_.undo(record.effects);
  for (const auto& lease : record.leases) {
    if (!lease.before) {
      leases_.erase(lease.id);
    } else if (!leases_.ttl(lease.id)) {
      leases_.put(lease.id, *lease.before, Clock::now());
      leases_.postpone(lease.id, Clock::now() + kLeaseRetry);
    }
  }
  watchers_.tell_undone(record.effects);
}

asio::awaitable<LeaseId> LocalStore::grant_lease(std::chrono::milliseconds ttl) {
  SAMPAN_CHECK(!watchers_.telling());
  if (ttl.count() <= 0) throw core::Error("a lease was asked for no time at all");
  check_room();
  const LeaseId id = leases_.next_id();
  leases_.put(id, ttl, Clock::now());
  stage({}, {LeaseEffect{id, std::nullopt, ttl}});
  arm_lease_timer();
  co_await wait_until_durable();
  co_return id;
}

asio::awaitable<bool> LocalStore::keep_alive(LeaseId lease) {
  const bool lives = leases_.keep_alive(lease, Clock::now());
  arm_lease_timer();
  co_return lives;
}

asio::awaitable<void> LocalStore::revoke_lease(LeaseId lease) {
  SAMPAN_CHECK(!watchers_.telling());
  end_lease(lease);
  arm_lease_timer();
  co_await wait_until_durable();
}

void LocalStore::end_lease(LeaseId lease) {
  auto ttl = leases_.ttl(lease);
  if (!ttl) return;
  leases_.erase(lease);
  std::vector<Write> writes;
  for (auto& key : keyspace_.keys_of(lease)) writes.push_back({std::move(key), std::nullopt, 0});
  stage(std::move(writes), {LeaseEffect{lease, ttl, std::nullopt}});
}

void LocalStore::end_expired_leases() {
  for (LeaseId lease : leases_.expired(Clock::now())) end_lease(lease);
  arm_lease_timer();
}

void LocalStore::arm_lease_timer() {
  auto end = leases_.next_end();
  if (!end) {
    lease_timer_.cancel();
    return;
  }
  lease_timer_.expires_at(*end);
  lease_timer_.async_wait([weak = std::weak_ptr(self_)](const boost::system::error_code& cancelled) {
    auto self = weak.lock();
    if (!cancelled && self) (*self)->end_expired_leases();
  });
}

}  // namespace sampan::store
