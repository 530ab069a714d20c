// The ordered map behind the local engines: compares, writes, their undoing, ranges. Pure: no clock, no disk,
// no watcher. Not thread-safe; its owner keeps it on the control strand.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace sampan::store {

struct Entry {
  std::string value;
  Revision created = 0;
  Revision modified = 0;
  LeaseId lease = 0;

  bool operator==(const Entry&) const = default;
};

// What one transaction did to one key: enough to store it, to tell of it, and to undo it.
struct Effect {
  std::string key;
  std::optional<Entry> before;
  std::optional<Entry> after;
};
using Effects = std::vector<Effect>;

class Keyspace {
 public:
  using Entries = std::map<std::string, Entry, std::less<>>;

  const Entries& entries() const { return entries_; }
  std::optional<KeyValue> get(std::string_view key) const;
  std::vector<KeyValue> range(std::string_view prefix, std::string_view start, std::size_t limit) const;
  Revision revision() const { return revision_; }
  std::size_t size() const { return entries_.size(); }

  bool holds(const std::vector<Compare>& compares) const;

  // Does all the writes under one new revision. The last of several writes of one key counts; deleting what
  // is not there is no effect, and without any effect the revision stays.
  Effects apply(std::vector<Write> writes);
  // Takes back effects of apply(); the last applied must be undone first. The revision does not fall: a
  // number that somebody has seen never stands for something else.
  void undo(const Effects& effects);

  // The keys that go when `lease` ends, in order.
  std::vector<std::string> keys_of(LeaseId lease) const;

  // Filling at start: keys must come in growing order (false: they do not, the source is damaged).
  bool append_loaded(std::string key, Entry entry);
  void set_loaded_revision(Revision revision) { revision_ = revision; }

 private:
  void set(const std::string& key, const std::optional<Entry>& entry);

  Entries entries_;
  std::map<LeaseId, std::set<std::string>> leased_;
  Revision revision_ = 0;
};

KeyValue to_key_value(const std::string& key, const Entry& entry);

}  // namespace sampan::store
