#include "store/keyspace.h"

#include <ranges>
#include <utility>

namespace sampan::store {

KeyValue to_key_value(const std::string& key, const Entry& entry) {
  return {key, entry.value, entry.created, entry.modified};
}

std::optional<KeyValue> Keyspace::get(std::string_view key) const {
  auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  return to_key_value(found->first, found->second);
}

std::vector<KeyValue> Keyspace::range(std::string_view prefix, std::string_view start,
                                      std::size_t limit) const {
  std::vector<KeyValue> found;
  for (auto at = entries_.lower_bound(std::max(prefix, start)); at != entries_.end(); ++at) {
    if (!std::string_view(at->first).starts_with(prefix)) break;
    found.push_back(to_key_value(at->first, at->second));
    if (limit != 0 && found.size() == limit) break;
  }
  return found;
}

bool Keyspace::holds(const std::vector<Compare>& compares) const {
  return std::ranges::all_of(compares, [&](const Compare& compare) {
    auto found = entries_.find(compare.key);
    return (found == entries_.end() ? 0 : found->second.modified) == compare.modified;
  });
}

Effects Keyspace::apply(std::vector<Write> writes) {
  std::map<std::string, Write*> last;  // by key: so that effects are in order and each key is written once
  for (auto& write : writes) last[write.key] = &write;

  Effects effects;
  const Revision next = revision_ + 1;
  for (auto& [key, write] : last) {
    Effect effect{.key = key, .before = std::nullopt, .after = std::nullopt};
    if (auto found = entries_.find(key); found != entries_.end()) effect.before = found->second;
    if (!write->value && !effect.before) continue;
    if (write->value) {
      const Revision created = effect.before ? effect.before->created : next;
      effect.after = Entry{std::move(*write->value), created, next, write->lease};
    }
    set(key, effect.after);
    effects.push_back(std::move(effect));
  }
  if (!effects.empty()) revision_ = next;
  return effects;
}

void Keyspace::undo(const Effects& effects) {
  for (const auto& effect : std::views::reverse(effects)) set(effect.key, effect.before);
}

void Keyspace::set(const std::string& key, const std::optional<Entry>& entry) {
  auto at = entries_.lower_bound(key);
  const bool present = at != entries_.end() && at->first == key;
  if (present && at->second.lease != 0) {
    auto leased = leased_.find(at->second.lease);
    leased->second.erase(key);
    if (leased->second.empty()) leased_.erase(leased);
  }
  if (!entry) {
    if (present) entries_.erase(at);
    return;
  }
  if (entry->lease != 0) leased_[entry->lease].insert(key);
  if (present) {
    at->second = *entry;
  } else {
    entries_.emplace_hint(at, key, *entry);
  }
}

std::vector<std::string> Keyspace::keys_of(LeaseId lease) const {
  auto found = leased_.find(lease);
  if (found == leased_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

bool Keyspace::append_loaded(std::string key, Entry entry) {
  if (!entries_.empty() && std::prev(entries_.end())->first >= key) return false;
  if (entry.lease != 0) leased_[entry.lease].insert(key);
  entries_.emplace_hint(entries_.end(), std::move(key), std::move(entry));
  return true;
}

}  // namespace sampan::store
