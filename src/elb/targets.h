// What the ECS scheduler needs of load balancing: to put tasks behind target groups and to know their health.
// All calls on the control strand.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>

namespace sampan::elb {

struct Target {
  std::string group_arn;
  std::string address;
  int port = 0;
  auto operator<=>(const Target&) const = default;
};

// AWS's names: initial, healthy, unhealthy, unused, draining, unavailable; reason and description as in
// DescribeTargetHealth.
struct TargetHealth {
  std::string state;
  std::string reason;
  std::string description;
};

struct GroupFacts {
  std::string name;
  std::string target_type;  // ip, instance, lambda
  std::string vpc_id;
  bool has_load_balancer = false;
};

class Targets {
 public:
  virtual ~Targets() = default;
  virtual std::optional<GroupFacts> group(const std::string& group_arn) const = 0;
  // Durable when they return; repeated calls change nothing. Unknown group: core::Error.
  virtual boost::asio::awaitable<void> add(Target target, std::string availability_zone) = 0;
  // Starts draining; the target is gone ("unused") once the deregistration delay has passed.
  virtual boost::asio::awaitable<void> remove(Target target) = 0;
  virtual TargetHealth health(const Target& target) const = 0;
  // Told (at least once) after a target's health changed. Must not throw.
  virtual void on_change(std::function<void(const Target&)> listener) = 0;
};

}  // namespace sampan::elb
