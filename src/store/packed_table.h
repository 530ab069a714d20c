// PackedTable<T>: as Table<T>, for hundreds of thousands of rows. They stay as they are stored and are
// decoded when they are looked at; a few are kept decoded. It costs no memory and no time at a start.
//
// On the control strand. A row that find() gave is good until the next suspension (what it was, should it
// change); one that an iterator shows, until the iterator moves. Iterators themselves are good until the next
// commit.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/table.h"

namespace sampan::store {

inline constexpr std::size_t kRowsKeptDecoded = 128;

template <class T>
class PackedTable {
 public:
  using Item = std::pair<std::string, Row<T>>;
  // `before` and `after` are encoded rows; nullptr: there is none.
  using Listener =
      std::function<void(const std::string& key, const std::string* before, const std::string* after)>;

  class const_iterator {
   public:
    const_iterator() = default;
    const Item& operator*() const { return decoded(); }
    const Item* operator->() const { return &decoded(); }
    // The key, and the row as it is stored: without decoding it.
    std::string_view key() const { return std::string_view(at_->first).substr(prefix_.size()); }
    std::string_view encoded() const { return at_->second.value; }
    const_iterator& operator++() {
      ++at_;
      item_.reset();
      return *this;
    }
    bool operator==(const const_iterator& other) const {
      return ended() || other.ended() ? ended() == other.ended() : at_ == other.at_;
    }

   private:
    friend class PackedTable;
    using At = Keyspace::Entries::const_iterator;
    const_iterator(At at, At end, std::string_view prefix) : at_(at), end_(end), prefix_(prefix) {}
    bool ended() const {
      return prefix_.empty() || at_ == end_ || !std::string_view(at_->first).starts_with(prefix_);
    }
    const Item& decoded() const {
      if (!item_) item_.emplace(std::string(key()), row_of(at_->second));
      return *item_;
    }

    At at_{};
    At end_{};
    std::string_view prefix_;  // empty: the end of any table
    mutable std::optional<Item> item_;
  };

  // Follows the store from now on. `prefix` ends with '/'.
  PackedTable(Store& store, std::string prefix) : store_(store), prefix_(std::move(prefix)) {
    watch_ = store_.watch(prefix_, [this](const std::vector<Change>& changes) { apply(changes); });
  }
  ~PackedTable() { store_.unwatch(watch_); }
  PackedTable(const PackedTable&) = delete;
  PackedTable& operator=(const PackedTable&) = delete;

  // Keys here are without the prefix.
  bool contains(std::string_view key) const { return entries().find(full(key)) != entries().end(); }
  const T* find(std::string_view key) const {
    const auto* row = find_row(key);
    return row ? &row->value : nullptr;
  }
  const Row<T>* find_row(std::string_view key) const {
    auto name = full(key);
    if (const auto kept = kept_->rows.find(name); kept != kept_->rows.end()) return &kept->second;
    const auto found = entries().find(name);
    if (found == entries().end()) return nullptr;
    return &keep(std::move(name), row_of(found->second));
  }
  const_iterator begin() const { return lower_bound({}); }
  const_iterator end() const { return {}; }
  const_iterator lower_bound(std::string_view key) const {
    return {entries().lower_bound(full(key)), entries().end(), prefix_};
  }
  // Counts at its first call.
  std::size_t size() const {
    if (!size_) {
      size_ = 0;
      for (auto row = begin(); row != end(); ++row) ++*size_;
    }
    return *size_;
  }
  const std::string& prefix() const { return prefix_; }

  // As Table's.
  void on_change(Listener listener) { listeners_.push_back(std::move(listener)); }

 private:
  struct Kept {
    using Rows = std::unordered_map<std::string, Row<T>>;
    Rows rows;
    std::vector<typename Rows::node_type> stale;  // changed since; somebody may be reading them still
  };

  static Row<T> row_of(const Entry& entry) {
    return {RowCodec<T>::decode(entry.value), entry.created, entry.modified};
  }
  std::string full(std::string_view key) const {
    std::string name;
    name.reserve(prefix_.size() + key.size());
    return name.append(prefix_).append(key);
  }
  const Keyspace::Entries& entries() const { return store_.keyspace().entries(); }

  // Somebody may hold any of the kept rows until what runs now suspends: only then some are let go.
  const Row<T>& keep(std::string name, Row<T> row) const {
    if (kept_->rows.size() == kRowsKeptDecoded) let_go_soon(true);
    return kept_->rows.insert_or_assign(std::move(name), std::move(row)).first->second;
  }
  void let_go_soon(bool all) const {
    store_.after_this([weak = std::weak_ptr(kept_), all] {
      const auto kept = weak.lock();
      if (!kept) return;
      kept->stale.clear();
      if (all) kept->rows.clear();
    });
  }
  void forget(const std::string& name) {
    auto row = kept_->rows.extract(name);
    if (!row) return;
    if (kept_->stale.empty()) let_go_soon(false);
    kept_->stale.push_back(std::move(row));
  }

  void apply(const std::vector<Change>& changes) {
    for (const auto& change : changes) {
      forget(change.key);
      if (size_) *size_ = *size_ + (change.after ? 1 : 0) - (change.before ? 1 : 0);
      if (listeners_.empty()) continue;
      const auto key = change.key.substr(prefix_.size());
      const auto* before = change.before ? &change.before->value : nullptr;
      const auto* after = change.after ? &change.after->value : nullptr;
      for (const auto& listener : listeners_) listener(key, before, after);
    }
  }

  Store& store_;
  std::string prefix_;
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();  // shared with a trim that is posted, weakly
  mutable std::optional<std::size_t> size_;
  std::vector<Listener> listeners_;
  WatchId watch_ = 0;
};

}  // namespace sampan::store
