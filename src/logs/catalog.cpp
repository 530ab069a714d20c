#include "logs/catalog.h"

#include <algorithm>

#include "api/logs.h"
#include "core/encoding.h"

namespace sampan::logs {
namespace {

namespace model = api::logs;

// A stream's name may have 512 characters of up to four bytes, a store's key only 1 KiB.
constexpr std::size_t kNameInKey = 800;
constexpr std::size_t kDeletedAtOnce = 500;

[[noreturn]] void no_group() {
  throw model::ResourceNotFoundException("The specified log group does not exist.");
}
[[noreturn]] void no_stream() {
  throw model::ResourceNotFoundException("The specified log stream does not exist.");
}

}  // namespace

Scope scope_of(const aws::Call& call) {
  return {call.account, call.region};
}

Catalog::Catalog(store::Store& store, core::IdSource& ids)
    : store_(store), ids_(ids), groups_(store, "/logs/groups/"), streams_(store, "/logs/streams/") {}

std::string Catalog::key(const Scope& scope, const std::string& name) {
  return scope.account + "/" + scope.region + "/" + name;
}

// No name has a colon, so a shortened key is never another name's whole one.
std::string Catalog::key(const GroupRow& group, const std::string& stream) {
  if (stream.size() <= kNameInKey) return group.id + "/" + stream;
  return group.id + "/" + stream.substr(0, kNameInKey) + ":" + core::sha256_hex(stream);
}

const GroupRow* Catalog::find_group(const Scope& scope, const std::string& name) const {
  return groups_.find(key(scope, name));
}

const GroupRow& Catalog::group(const Scope& scope, const std::string& name) const {
  const auto* found = find_group(scope, name);
  if (!found) no_group();
  return *found;
}

const StreamRow* Catalog::find_stream(const GroupRow& group, const std::string& name) const {
  return streams_.find(key(group, name));
}

const StreamRow& Catalog::stream(const GroupRow& group, const std::string& name) const {
  const auto* found = find_stream(group, name);
  if (!found) no_stream();
  return *found;
}

std::vector<const GroupRow*> Catalog::groups(const Scope& scope, const std::string& prefix) const {
  std::vector<const GroupRow*> found;
  const auto begin = key(scope, prefix);
  for (auto at = groups_.lower_bound(begin); at != groups_.end() && at->first.starts_with(begin); ++at) {
    found.push_back(&at->second.value);
  }
  return found;
}

std::vector<const StreamRow*> Catalog::streams(const GroupRow& group, const std::string& prefix) const {
  std::vector<const StreamRow*> found;
  const auto begin = group.id + "/" + prefix.substr(0, kNameInKey);
  for (auto at = streams_.lower_bound(begin); at != streams_.end() && at->first.starts_with(begin); ++at) {
    if (at->second.value.name.starts_with(prefix)) found.push_back(&at->second.value);
  }
  return found;
}

io::Awaitable<void> Catalog::create_group(Scope scope, GroupRow group) {
  group.id = ids_.hex(16);
  co_await store::transact(store_, [&](store::Txn& tx) {
    if (tx.get(groups_, key(scope, group.name))) {
      throw model::ResourceAlreadyExistsException("The specified log group already exists");
    }
    tx.put(groups_, key(scope, group.name), group);
  });
}

io::Awaitable<void> Catalog::create_stream(Scope scope, std::string group_name, std::string name,
                                           Millis now) {
  const auto id = ids_.hex(16);
  co_await store::transact(store_, [&](store::Txn& tx) {
    auto group = tx.get(groups_, key(scope, group_name));
    if (!group) no_group();
    if (tx.get(streams_, key(*group, name))) {
      throw model::ResourceAlreadyExistsException("The specified log stream already exists");
    }
    tx.put(streams_, key(*group, name), StreamRow{name, id, now});
  });
}

io::Awaitable<void> Catalog::update_group(Scope scope, std::string name,
                                          std::function<void(GroupRow&)> change) {
  co_await store::transact(store_, [&](store::Txn& tx) {
    auto group = tx.get(groups_, key(scope, name));
    if (!group) no_group();
    change(*group);
    tx.put(groups_, key(scope, name), *group);
  });
}

io::Awaitable<std::string> Catalog::delete_group(Scope scope, std::string name) {
  auto id = co_await store::transact(store_, [&](store::Txn& tx) {
    auto group = tx.get(groups_, key(scope, name));
    if (!group) no_group();
    if (group->deletion_protected) {
      throw model::ValidationException("The log group is protected from deletion.");
    }
    tx.erase(groups_, key(scope, name));
    return group->id;
  });
  // With the group gone its streams are out of everybody's sight; recover() ends this if we do not.
  co_await delete_streams_of(id);
  co_return id;
}

io::Awaitable<void> Catalog::delete_streams_of(std::string group_id) {
  for (;;) {
    std::vector<std::string> keys;
    for (auto at = streams_.lower_bound(group_id + "/"); at != streams_.end() && keys.size() < kDeletedAtOnce;
         ++at) {
      if (!at->first.starts_with(group_id + "/")) break;
      keys.push_back(at->first);
    }
    if (keys.empty()) co_return;
    co_await store::transact(store_, [&](store::Txn& tx) {
      for (const auto& one : keys) tx.erase(streams_, one);
    });
  }
}

io::Awaitable<StreamId> Catalog::delete_stream(Scope scope, std::string group_name, std::string name) {
  co_return co_await store::transact(store_, [&](store::Txn& tx) {
    auto group = tx.get(groups_, key(scope, group_name));
    if (!group) no_group();
    auto stream = tx.get(streams_, key(*group, name));
    if (!stream) no_stream();
    tx.erase(streams_, key(*group, name));
    return StreamId{group->id, stream->id};
  });
}

io::Awaitable<std::set<StreamId>> Catalog::recover() {
  std::set<std::string> groups, orphaned;
  for (const auto& [key, row] : groups_) groups.insert(row.value.id);
  std::set<StreamId> streams;
  for (const auto& [key, row] : streams_) {
    auto group = key.substr(0, key.find('/'));
    if (groups.contains(group)) {
      streams.insert({group, row.value.id});
    } else {
      orphaned.insert(group);
    }
  }
  for (const auto& group : orphaned) co_await delete_streams_of(group);
  co_return streams;
}

std::vector<GroupRow> Catalog::all_groups() const {
  std::vector<GroupRow> all;
  for (const auto& [key, row] : groups_) all.push_back(row.value);
  return all;
}

}  // namespace sampan::logs
