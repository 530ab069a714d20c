// Registering and deregistering targets: one way for the API's calls and for the ECS scheduler. On the
// control strand.
#pragma once

#include "core/clock.h"
#include "elb/data_plane.h"
#include "elb/registry.h"

namespace sampan::elb {

// Of one load balancer's targets, as AWS counts.
inline constexpr std::size_t kMostTargets = 1000;

// Within a transaction; both change nothing when there is nothing to change.
void put_target(store::Txn& tx, const Registry& registry, const Target& target, const std::string& zone,
                core::TimePoint now);
// Starts draining for the group's delay; at once gone when that is zero or nothing uses the group.
void drain_target(store::Txn& tx, const Registry& registry, const Target& target, core::TimePoint now);

class GroupTargets final : public Targets {
 public:
  GroupTargets(Registry& registry, DataPlane& data_plane, const core::Clock& clock)
      : registry_(registry), data_plane_(data_plane), clock_(clock) {}
  std::optional<GroupFacts> group(const std::string& group_arn) const override;
  boost::asio::awaitable<void> add(Target target, std::string availability_zone) override;
  boost::asio::awaitable<void> remove(Target target) override;
  TargetHealth health(const Target& target) const override {
    return data_plane_.health(target.group_arn, target.address, target.port);
  }
  void on_change(std::function<void(const Target&)> listener) override {
    data_plane_.on_change(std::move(listener));
  }

 private:
  Registry& registry_;
  DataPlane& data_plane_;
  const core::Clock& clock_;
};

}  // namespace sampan::elb
