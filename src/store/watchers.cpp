#include "store/watchers.h"

#include <ranges>
#include <utility>

namespace sampan::store {
namespace {

std::optional<KeyValue> shown(const std::string& key, const std::optional<Entry>& entry) {
  if (!entry) return std::nullopt;
  return to_key_value(key, *entry);
}

}  // namespace

WatchId Watchers::add(std::string prefix, Watcher watcher) {
  entries_.push_back(std::make_unique<Entry>(Entry{++last_id_, std::move(prefix), std::move(watcher)}));
  return last_id_;
}

void Watchers::remove(WatchId id) {
  for (auto& entry : entries_) {
    if (entry->id == id) entry->removed = true;
  }
  if (depth_ == 0) std::erase_if(entries_, [](const auto& entry) { return entry->removed; });
}

void Watchers::tell(const Effects& effects) noexcept {
  std::vector<Change> changes;
  changes.reserve(effects.size());
  for (const auto& effect : effects) {
    changes.push_back({effect.key, shown(effect.key, effect.before), shown(effect.key, effect.after)});
  }
  tell_changes(changes);
}

void Watchers::tell_undone(const Effects& effects) noexcept {
  std::vector<Change> changes;
  changes.reserve(effects.size());
  for (const auto& effect : std::views::reverse(effects)) {
    changes.push_back({effect.key, shown(effect.key, effect.after), shown(effect.key, effect.before)});
  }
  tell_changes(changes);
}

void Watchers::tell_changes(const std::vector<Change>& changes) noexcept {
  if (changes.empty()) return;
  ++depth_;
  const std::size_t count = entries_.size();  // who joins while we tell hears of the next transaction first
  for (std::size_t i = 0; i < count; ++i) {
    Entry& entry = *entries_[i];
    std::vector<Change> seen;
    for (const auto& change : changes) {
      if (change.key.starts_with(entry.prefix)) seen.push_back(change);
    }
    if (!seen.empty() && !entry.removed) entry.watcher(seen);
  }
  if (--depth_ == 0) std::erase_if(entries_, [](const auto& entry) { return entry->removed; });
}

}  // namespace sampan::store
