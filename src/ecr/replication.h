// Replication: images pushed to this registry become other registries' too, as its rules say. Of this Sampan
// (another region, another account) by rows alone, since content is stored once; of another Sampan by a push.
//
//   push ──(same transaction)──> ReplicationRow IN_PROGRESS ──> queue ──> send ──> COMPLETE
//                                        ^                                  │
//                                        └── tried again, later and later ──┴──> FAILED, and why
//
// As in AWS: what is pushed after the rule, not before; no deletions; what came by replication goes no
// further. Level-triggered: a start begins with every row that is not COMPLETE, and sending what is there is
// nothing. On the control strand; what goes to another Sampan runs on the network executor.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/row_codec.h"
#include "core/clock.h"
#include "ecr/peer_sender.h"
#include "ecr/registry_peers.h"
#include "ecr/replication_failure.h"
#include "ecr/replication_queue.h"
#include "ecr/repositories.h"
#include "ecr/repository_templates.h"
#include "ecr/shipment.h"
#include "io/executors.h"
#include "store/table.h"

namespace sampan::ecr {

class Replication {
 public:
  // All must outlive this. `peers` is the operator's file; it need not exist.
  struct Parts {
    store::Store& store;
    io::Executors& executors;
    image::ContentStore& content;
    Repositories& repositories;
    RepositoryTemplates& templates;
    core::Clock& clock;
    image::RegistryNetwork& network;
    std::filesystem::path peers;
  };
  explicit Replication(Parts parts);

  // Whether the registry of `to` lets `account` do `action` ("ecr:ReplicateImage", "ecr:CreateRepository")
  // with that repository: its policy's matter. Until it is given, no other account may. Before start().
  using Allows =
      std::function<bool(const std::string& account, std::string_view action, const RepositoryId& to)>;
  void ask_for_permission(Allows allows) { allows_ = std::move(allows); }

  // Begins to work. Until then, and after stop(), rows only gather.
  void start();
  void stop();
  // Something has changed that failed work may have waited for: a policy, the file of peers.
  void hasten();

  io::Awaitable<void> configure(std::string account, std::string region, ReplicationConfiguration rules);
  ReplicationConfiguration configuration(const std::string& account, const std::string& region) const;
  struct Standing {
    Destination destination;
    ReplicationRow row;
  };
  std::vector<Standing> standing(const RepositoryId& id, const image::Digest& digest) const;

 private:
  void note(store::Txn& tx, const Repositories::Arrival& arrival);
  void follow(const std::string& key, const ReplicationRow* before, const ReplicationRow* after);
  void forget(store::Txn& tx, const RepositoryId& id, const image::Digest& digest) const;
  bool is_wanted(const ReplicationKey& key) const;
  io::Awaitable<void> keep();
  io::Awaitable<void> work(ReplicationKey key);
  io::Awaitable<std::vector<std::string>> send(ReplicationKey key);
  io::Awaitable<void> send_here(ReplicationKey key, Shipment shipment);
  io::Awaitable<void> settle(ReplicationKey key, std::vector<std::string> sent);
  io::Awaitable<void> settle_failure(ReplicationKey key, ReplicationFailure failure);
  void require_permission(const ReplicationKey& key, std::string_view action, const RepositoryId& to) const;

  Parts parts_;
  Allows allows_;
  PeersFile peers_;
  store::Table<ReplicationConfiguration> rules_;
  store::Table<ReplicationRow> rows_;
  ReplicationQueue queue_;
  io::Bell bell_;
  bool working_ = false;
};

}  // namespace sampan::ecr
