#include "elb/group_targets.h"

#include "core/error.h"

namespace sampan::elb {

void put_target(store::Txn& tx, const Registry& registry, const Target& target, const std::string& zone,
                core::TimePoint now) {
  const auto key = target_key(target.group_arn, target.address, target.port);
  const auto row = tx.get(registry.targets, key);
  if (row && !row->draining()) return;
  tx.put(registry.targets, key, TargetRow{target.group_arn, target.address, target.port, zone, now, {}});
}

void drain_target(store::Txn& tx, const Registry& registry, const Target& target, core::TimePoint now) {
  const auto key = target_key(target.group_arn, target.address, target.port);
  auto row = tx.get(registry.targets, key);
  const auto group = tx.get(registry.groups, target.group_arn);
  if (!row || row->draining()) return;
  const int delay = group ? number(group->attributes, "deregistration_delay.timeout_seconds") : 0;
  if (delay == 0 || registry.balancers_of_group(target.group_arn).empty()) {
    tx.erase(registry.targets, key);
    return;
  }
  row->draining_until = now + std::chrono::seconds(delay);
  tx.put(registry.targets, key, *row);
}

std::optional<GroupFacts> GroupTargets::group(const std::string& group_arn) const {
  const auto* row = registry_.groups.find(group_arn);
  if (!row) return std::nullopt;
  GroupFacts facts;
  facts.name = row->shape.TargetGroupName.value_or("");
  facts.target_type = row->shape.TargetType.value_or("ip");
  facts.vpc_id = row->shape.VpcId.value_or("");
  facts.has_load_balancer = !registry_.balancers_of_group(group_arn).empty();
  return facts;
}

boost::asio::awaitable<void> GroupTargets::add(Target target, std::string availability_zone) {
  const auto now = clock_.now();
  auto body = [&](store::Txn& tx) {
    if (!tx.get(registry_.groups, target.group_arn)) {
      throw core::Error("registering a target", "there is no target group " + target.group_arn);
    }
    put_target(tx, registry_, target, availability_zone, now);
  };
  co_await store::transact(registry_.store(), body);
}

boost::asio::awaitable<void> GroupTargets::remove(Target target) {
  const auto now = clock_.now();
  // A group that is gone took its targets with it.
  auto body = [&](store::Txn& tx) { drain_target(tx, registry_, target, now); };
  co_await store::transact(registry_.store(), body);
}

}  // namespace sampan::elb
