// Table<T>: the typed view, in memory, of the rows under one prefix of a Store; and transact(), the one
// way to change rows.
//
//   struct Cluster { ... };                      // a row
//   template <> struct store::RowCodec<Cluster>  // or rows of generated shapes: aws/row_codec.h
//   { static std::string encode(const Cluster&); static Cluster decode(std::string_view); };
//
//   store::Table<Cluster> clusters(store, "/ecs/clusters/");
//   auto made = co_await store::transact(store, [&](store::Txn& tx) {
//     if (tx.get(clusters, key)) throw ...;      // reads record a compare; throwing writes nothing
//     tx.put(clusters, key, Cluster{...});
//     return ...;
//   });                                          // here it is durable
//
// The body is a plain function: it cannot suspend, it may be run again when a compare failed, and it must
// touch nothing but `tx` and its own locals. All on the control strand. References into a table are good
// until the next suspension; after a co_await, read again.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "store/keyspace.h"
#include "store/store.h"

namespace sampan::store {

template <class T>
struct RowCodec;

template <class T>
struct Row {
  T value;
  Revision created = 0;
  Revision modified = 0;
};

template <class T>
class Table {
 public:
  using Listener = std::function<void(const std::string& key, const T* before, const T* after)>;
  using const_iterator = typename std::map<std::string, Row<T>, std::less<>>::const_iterator;

  // Reads all rows now and follows the store from then on. `prefix` ends with '/'.
  Table(Store& store, std::string prefix) : store_(store), prefix_(std::move(prefix)) {
    const auto& entries = store_.keyspace().entries();
    for (auto at = entries.lower_bound(prefix_); at != entries.end() && at->first.starts_with(prefix_); ++at) {
      const Entry& entry = at->second;
      rows_.emplace_hint(rows_.end(), local(at->first),
                         Row<T>{RowCodec<T>::decode(entry.value), entry.created, entry.modified});
    }
    watch_ = store_.watch(prefix_, [this](const std::vector<Change>& changes) { apply(changes); });
  }
  ~Table() { store_.unwatch(watch_); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // Keys here are without the prefix.
  const T* find(std::string_view key) const {
    auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &found->second.value;
  }
  const Row<T>* find_row(std::string_view key) const {
    auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &found->second;
  }
  const_iterator begin() const { return rows_.begin(); }
  const_iterator end() const { return rows_.end(); }
  const_iterator lower_bound(std::string_view key) const { return rows_.lower_bound(key); }
  std::size_t size() const { return rows_.size(); }
  const std::string& prefix() const { return prefix_; }

  // Told after each change of a row, in order, for the life of the table; to keep indexes and ring bells.
  // Must not throw, must not commit.
  void on_change(Listener listener) { listeners_.push_back(std::move(listener)); }

 private:
  static Row<T> row(const KeyValue& kv) { return {RowCodec<T>::decode(kv.value), kv.created, kv.modified}; }
  std::string local(std::string_view key) const { return std::string(key.substr(prefix_.size())); }

  void apply(const std::vector<Change>& changes) {
    for (const auto& change : changes) {
      auto key = local(change.key);
      std::optional<Row<T>> before;
      if (auto found = rows_.find(key); found != rows_.end()) {
        before = std::move(found->second);
        rows_.erase(found);
      }
      const T* after = nullptr;
      if (change.after) after = &rows_.emplace(key, row(*change.after)).first->second.value;
      for (const auto& listener : listeners_) listener(key, before ? &before->value : nullptr, after);
    }
  }

  Store& store_;
  std::string prefix_;
  std::map<std::string, Row<T>, std::less<>> rows_;
  std::vector<Listener> listeners_;
  WatchId watch_ = 0;
};

// One transaction being put together. Reads see its own writes.
class Txn {
 public:
  // The row as this transaction would leave it. Records that the row must not change until the commit.
  // A table is a Table<T> or a PackedTable<T>.
  template <template <class> class AnyTable, class T>
  std::optional<T> get(const AnyTable<T>& table, std::string_view key) {
    auto full = table.prefix() + std::string(key);
    if (auto* write = written(full)) {
      if (!write->value) return std::nullopt;
      return RowCodec<T>::decode(*write->value);
    }
    const auto* row = table.find_row(key);
    compare(full, row ? row->modified : 0);
    if (!row) return std::nullopt;
    return row->value;
  }
  template <template <class> class AnyTable, class T>
  void put(const AnyTable<T>& table, std::string_view key, const std::type_identity_t<T>& value) {
    write(table.prefix() + std::string(key), RowCodec<T>::encode(value));
  }
  template <template <class> class AnyTable, class T>
  void erase(const AnyTable<T>& table, std::string_view key) {
    write(table.prefix() + std::string(key), std::nullopt);
  }
  bool empty() const { return transaction_.writes.empty(); }
  Transaction take() { return std::move(transaction_); }

 private:
  const Write* written(const std::string& key) const;
  void compare(const std::string& key, Revision modified);
  void write(std::string key, std::optional<std::string> value);
  Transaction transaction_;
};

// Somebody else kept changing the rows this body reads (16 tries).
class Conflict : public core::Error {
 public:
  using core::Error::Error;
};

inline constexpr int kTransactTries = 16;

// Runs `body`, commits what it wrote, and returns its result once that is durable. A body that writes nothing
// commits nothing. Throws what the body throws, Conflict, or core::Error when the disk refuses.
template <class F>
boost::asio::awaitable<std::invoke_result_t<F, Txn&>> transact(Store& store, F body) {
  using Result = std::invoke_result_t<F, Txn&>;
  for (int attempt = 0; attempt < kTransactTries; ++attempt) {
    Txn tx;
    if constexpr (std::is_void_v<Result>) {
      body(tx);
      if (tx.empty()) co_return;
      auto committed = co_await store.commit(tx.take());
      if (committed.succeeded) co_return;
    } else {
      Result result = body(tx);
      if (tx.empty()) co_return result;
      auto committed = co_await store.commit(tx.take());
      if (committed.succeeded) co_return result;
    }
  }
  throw Conflict("the same rows were changed by others at every try");
}

}  // namespace sampan::store
