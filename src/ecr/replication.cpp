#include "ecr/replication.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/log.h"

namespace sampan::ecr {
namespace {

constexpr std::chrono::minutes kIdle{1};
constexpr std::size_t kLongestReason = 1000;

std::string registry_key(const std::string& account, const std::string& region) {
  return account + '/' + region;
}

}  // namespace

Replication::Replication(Parts parts)
    : parts_(std::move(parts)),
      peers_(parts_.peers),
      rules_(parts_.store, "/ecr/replication/rules/"),
      rows_(parts_.store, "/ecr/replication/images/"),
      bell_(parts_.executors.control()) {
  for (const auto& [key, row] : rows_) follow(key, nullptr, &row.value);
  rows_.on_change([this](const std::string& key, const ReplicationRow* before, const ReplicationRow* after) {
    follow(key, before, after);
  });
  parts_.repositories.when_image_comes(
      [this](store::Txn& tx, const Repositories::Arrival& arrival) { note(tx, arrival); });
  parts_.repositories.when_image_goes([this](store::Txn& tx, const RepositoryId& id,
                                             const image::Digest& digest) { forget(tx, id, digest); });
}

void Replication::note(store::Txn& tx, const Repositories::Arrival& arrival) {
  if (arrival.origin == Repositories::Origin::kReplication) return;
  const auto& id = arrival.repository;
  const auto* rules = rules_.find(registry_key(id.account, id.region));
  if (!rules) return;
  for (const auto& destination : destinations_of(*rules, id.name)) {
    const auto key = ReplicationKey{id, arrival.digest, destination}.str();
    auto row = tx.get(rows_, key).value_or(ReplicationRow());
    row.status = ReplicationRow::Status::kInProgress;
    row.since = parts_.clock.now();
    row.failure_code.clear();
    row.failure_reason.clear();
    const bool had = std::find(row.tags.begin(), row.tags.end(), arrival.tag) != row.tags.end();
    if (!arrival.tag.empty() && !had) row.tags.push_back(arrival.tag);
    tx.put(rows_, key, row);
  }
}

// The queue from the rows: what is new, or got a tag more, is to be done. Our own writes about work that goes
// on are no news.
void Replication::follow(const std::string& key, const ReplicationRow* before, const ReplicationRow* after) {
  using Status = ReplicationRow::Status;
  if (!after) {
    queue_.remove(ReplicationKey::parse(key));
    return;
  }
  if (after->status == Status::kComplete) return;
  const bool news = !before || before->status == Status::kComplete || before->since != after->since ||
                    after->tags.size() > before->tags.size();
  if (!news) return;
  queue_.add(ReplicationKey::parse(key), after->since);
  bell_.ring();
}

void Replication::forget(store::Txn& tx, const RepositoryId& id, const image::Digest& digest) const {
  const auto prefix = id.image_key(digest) + ' ';
  for (auto row = rows_.lower_bound(prefix); row != rows_.end() && row->first.starts_with(prefix); ++row) {
    tx.erase(rows_, row->first);
  }
}

io::Awaitable<void> Replication::configure(std::string account, std::string region,
                                           ReplicationConfiguration rules) {
  if (const auto problem = check_replication(rules, account, region)) {
    throw api::ecr::InvalidParameterException(*problem);
  }
  co_await store::transact(parts_.store, [&](store::Txn& tx) {
    if (rules.rules.empty())
      tx.erase(rules_, registry_key(account, region));
    else
      tx.put(rules_, registry_key(account, region), rules);
  });
  hasten();
}

ReplicationConfiguration Replication::configuration(const std::string& account,
                                                    const std::string& region) const {
  const auto* rules = rules_.find(registry_key(account, region));
  return rules ? *rules : ReplicationConfiguration();
}

std::vector<Replication::Standing> Replication::standing(const RepositoryId& id,
                                                         const image::Digest& digest) const {
  std::vector<Standing> found;
  const auto prefix = id.image_key(digest) + ' ';
  for (auto row = rows_.lower_bound(prefix); row != rows_.end() && row->first.starts_with(prefix); ++row) {
    found.push_back({ReplicationKey::parse(row->first).destination, row->second.value});
  }
  return found;
}

bool Replication::is_wanted(const ReplicationKey& key) const {
  const auto* rules = rules_.find(registry_key(key.repository.account, key.repository.region));
  if (!rules) return false;
  const auto wanted = destinations_of(*rules, key.repository.name);
  return std::find(wanted.begin(), wanted.end(), key.destination) != wanted.end();
}

void Replication::start() {
  working_ = true;
  io::spawn_detached(parts_.executors.control(), "replication", keep());
}

void Replication::stop() {
  working_ = false;
  bell_.ring();
}

void Replication::hasten() {
  // What was given up because no rule wanted it any more may be wanted again.
  for (const auto& [key, row] : rows_) {
    if (row.value.status == ReplicationRow::Status::kFailed)
      queue_.add(ReplicationKey::parse(key), parts_.clock.now());
  }
  queue_.hasten(parts_.clock.now());
  bell_.ring();
}

io::Awaitable<void> Replication::keep() {
  while (working_) {
    while (const auto key = queue_.take(parts_.clock.now())) {
      io::spawn_detached(parts_.executors.control(), "replicate " + key->str(), work(*key));
    }
    core::Millis wait = kIdle;
    if (const auto due = queue_.next_due())
      wait = std::clamp<core::Millis>(*due - parts_.clock.now(), core::Millis(1), kIdle);
    co_await bell_.wait_for(wait);
  }
}

io::Awaitable<void> Replication::work(ReplicationKey key) {
  std::optional<ReplicationFailure> failure;
  std::vector<std::string> sent;
  using Passes = ReplicationFailure::Passes;
  try {
    sent = co_await send(key);
  } catch (const ReplicationFailure& known) {
    failure = known;
  } catch (const Refusal& refusal) {
    failure.emplace("DestinationRefused", refusal.what(), Passes::kNo);
  } catch (const aws::Fault& fault) {
    failure.emplace("AccessDenied", fault.what(), Passes::kNo);
  } catch (const std::exception& error) {
    failure.emplace("DestinationUnreachable", error.what(), Passes::kMaybe);
  }
  try {
    if (failure)
      co_await settle_failure(key, *failure);
    else
      co_await settle(key, std::move(sent));
  } catch (const core::Error& error) {
    // The store refuses to write: the row says that it goes on, and so it does.
    core::log::warn("cannot note how {} was replicated: {}", key.str(), error.what());
    queue_.failed(key, parts_.clock.now());
  }
  bell_.ring();
}

// Sends what the row asks for; the tags that are done with.
io::Awaitable<std::vector<std::string>> Replication::send(ReplicationKey key) {
  const auto* row = rows_.find(key.str());
  const auto tags = row ? row->tags : std::vector<std::string>();
  if (!row || (row->status == ReplicationRow::Status::kFailed && !is_wanted(key))) co_return tags;
  auto* peers = &peers_;
  const auto destination = key.destination;
  const auto peer =
      co_await io::offload(parts_.executors, [peers, destination] { return peers->find(destination); });
  auto shipment = plan_shipment(parts_.repositories, key.repository, key.digest, tags);
  if (!shipment) co_return tags;
  if (!peer) {
    co_await send_here(key, std::move(*shipment));
    co_return tags;
  }
  PeerSender sender(parts_.executors, parts_.network, parts_.content, *peer, key.destination);
  auto sending = sender.send(key.repository, std::move(*shipment));
  co_await boost::asio::co_spawn(parts_.executors.net(), std::move(sending), boost::asio::use_awaitable);
  co_return tags;
}

void Replication::require_permission(const ReplicationKey& key, std::string_view action,
                                     const RepositoryId& to) const {
  if (to.account == key.repository.account) return;
  if (allows_ && allows_(key.repository.account, action, to)) return;
  throw ReplicationFailure(
      "AccessDenied",
      fmt::format("The registry with id '{}' in {} does not allow account {} to {} on '{}'", to.account,
                  to.region, key.repository.account, action, to.name),
      ReplicationFailure::Passes::kNo);
}

io::Awaitable<void> Replication::send_here(ReplicationKey key, Shipment shipment) {
  const RepositoryId to{key.destination.account, key.destination.region, key.repository.name};
  require_permission(key, "ecr:ReplicateImage", to);
  if (!parts_.repositories.find(to)) {
    require_permission(key, "ecr:CreateRepository", to);
    co_await parts_.templates.make_for(to, Cause::kReplication);
  }
  std::vector<image::Digest> manifests;
  for (const auto& item : shipment.items) manifests.push_back(item.digest);
  co_await parts_.repositories.copy_images(key.repository, to, std::move(manifests), key.digest,
                                           shipment.tags);
}

io::Awaitable<void> Replication::settle(ReplicationKey key, std::vector<std::string> sent) {
  const bool wanted = is_wanted(key);
  co_await store::transact(parts_.store, [&](store::Txn& tx) {
    auto row = tx.get(rows_, key.str());
    if (!row) return;
    if (row->status == ReplicationRow::Status::kFailed && !wanted)
      return;  // given up: its failure stays told
    std::erase_if(row->tags, [&sent](const std::string& tag) {
      return std::find(sent.begin(), sent.end(), tag) != sent.end();
    });
    const bool whole = row->tags.empty();
    row->status = whole ? ReplicationRow::Status::kComplete : ReplicationRow::Status::kInProgress;
    row->failure_code.clear();
    row->failure_reason.clear();
    tx.put(rows_, key.str(), *row);
  });
  queue_.done(key);
}

io::Awaitable<void> Replication::settle_failure(ReplicationKey key, ReplicationFailure failure) {
  const int tries = queue_.tries(key) + 1;
  core::log::warn("cannot replicate {} (try {}): {}: {}", key.str(), tries, failure.code(), failure.what());
  const bool lost = failure.passes() == ReplicationFailure::Passes::kNo || tries >= kPatience;
  const auto reason = std::string(failure.what()).substr(0, kLongestReason);
  co_await store::transact(parts_.store, [&](store::Txn& tx) {
    auto row = tx.get(rows_, key.str());
    if (!row) return;
    auto next = *row;
    if (lost) next.status = ReplicationRow::Status::kFailed;
    next.failure_code = failure.code();
    next.failure_reason = reason;
    if (next != *row) tx.put(rows_, key.str(), next);
  });
  queue_.failed(key, parts_.clock.now());
}

}  // namespace sampan::ecr
