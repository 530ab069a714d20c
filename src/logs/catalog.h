// Which log groups and streams there are, for each account and region: rows in the store.
//
//   /logs/groups/<account>/<region>/<name>        /logs/streams/<group id>/<name>
//
// A group made again after its deletion has a new id, so nothing of the old one can shine through. All on the
// control strand. What must hold of names has been validated before.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/call.h"
#include "core/random.h"
#include "io/executors.h"
#include "logs/archive.h"
#include "logs/event.h"
#include "store/table.h"

namespace sampan::logs {

struct Scope {
  std::string account;
  std::string region;
};
Scope scope_of(const aws::Call& call);

struct GroupRow {
  std::string name;
  std::string id;  // 16 hex digits
  Millis created = 0;
  std::optional<int> retention_days;
  std::string group_class = "STANDARD";
  std::optional<std::string> kms_key;
  bool deletion_protected = false;
  std::map<std::string, std::string> tags;
};

struct StreamRow {
  std::string name;
  std::string id;  // 16 hex digits
  Millis created = 0;
};

}  // namespace sampan::logs

template <>
struct sampan::store::RowCodec<sampan::logs::GroupRow> {
  static std::string encode(const logs::GroupRow& row);
  static logs::GroupRow decode(std::string_view text);
};

template <>
struct sampan::store::RowCodec<sampan::logs::StreamRow> {
  static std::string encode(const logs::StreamRow& row);
  static logs::StreamRow decode(std::string_view text);
};

namespace sampan::logs {

class Catalog {
 public:
  Catalog(store::Store& store, core::IdSource& ids);

  // References and pointers are good until the next suspension.
  const GroupRow* find_group(const Scope& scope, const std::string& name) const;
  const GroupRow& group(const Scope& scope, const std::string& name) const;  // ResourceNotFoundException
  const StreamRow* find_stream(const GroupRow& group, const std::string& name) const;
  const StreamRow& stream(const GroupRow& group, const std::string& name) const;  // ResourceNotFoundException

  // In the order of names.
  std::vector<const GroupRow*> groups(const Scope& scope, const std::string& prefix = "") const;
  std::vector<const StreamRow*> streams(const GroupRow& group, const std::string& prefix = "") const;

  // ResourceAlreadyExistsException; ResourceNotFoundException for the stream's group.
  io::Awaitable<void> create_group(Scope scope, GroupRow group);
  io::Awaitable<void> create_stream(Scope scope, std::string group, std::string name, Millis now);
  // Changes the row as `change` says. ResourceNotFoundException.
  io::Awaitable<void> update_group(Scope scope, std::string name, std::function<void(GroupRow&)> change);
  // Give the ids of what is gone from the catalog; its files are still there.
  io::Awaitable<std::string> delete_group(Scope scope, std::string name);
  io::Awaitable<StreamId> delete_stream(Scope scope, std::string group, std::string name);

  // Ends deletions of groups that a kill broke off. Gives the streams that there are.
  io::Awaitable<std::set<StreamId>> recover();
  // All groups of all accounts, for what must be done regularly.
  std::vector<GroupRow> all_groups() const;

 private:
  io::Awaitable<void> delete_streams_of(std::string group_id);
  static std::string key(const Scope& scope, const std::string& name);
  static std::string key(const GroupRow& group, const std::string& stream);

  store::Store& store_;
  core::IdSource& ids_;
  store::Table<GroupRow> groups_;
  store::Table<StreamRow> streams_;
};

}  // namespace sampan::logs
