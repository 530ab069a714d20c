// The world around ECS, made of memory: a node, target groups, a VPC, a registry; each does at once, or only
// when told, what the real one does in its time.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "elb/targets.h"
#include "image/catalog.h"
#include "node/link.h"
#include "vpc/interfaces.h"

namespace sampan::ecs::test {

// A node that keeps what it is told and reports what the test makes happen.
class FakeLink final : public node::Link {
 public:
  struct Task {
    node::TaskAssignment assignment;
    node::TaskReport report;
    bool stop_asked = false;
  };

  void on_report(ReportHandler handler) override { handler_ = std::move(handler); }
  boost::asio::awaitable<void> assign(node::TaskAssignment assignment) override;
  boost::asio::awaitable<void> stop(std::string task_id) override;
  boost::asio::awaitable<void> forget(std::string task_id) override;
  std::vector<node::TaskReport> reports() const override;

  void run(const std::string& id);                           // all containers run
  void health(const std::string& id, node::Health health);   // of all its containers
  void die(const std::string& id, int exit_code);            // the essential container ends
  void fail(const std::string& id, const std::string& why);  // it never starts
  void finish_stop(const std::string& id);

  std::map<std::string, Task> tasks;
  std::vector<std::string> stopped;  // ids in the order stop() was called
  std::vector<std::string> forgotten;
  std::function<core::TimePoint()> now;
  bool run_at_once = false;  // assign() is followed by RUNNING
  bool stop_at_once = true;  // stop() is followed by STOPPED
  bool refuse = false;       // assign() throws

 private:
  void report(Task& task);
  ReportHandler handler_;
};

class FakeTargets final : public elb::Targets {
 public:
  std::optional<elb::GroupFacts> group(const std::string& group_arn) const override;
  boost::asio::awaitable<void> add(elb::Target target, std::string zone) override;
  boost::asio::awaitable<void> remove(elb::Target target) override;
  elb::TargetHealth health(const elb::Target& target) const override;
  void on_change(std::function<void(const elb::Target&)> listener) override {
    listener_ = std::move(listener);
  }

  void set(const elb::Target& target, const std::string& state, const std::string& description = "");

  std::map<std::string, elb::GroupFacts> groups;
  std::map<elb::Target, elb::TargetHealth> targets;
  std::vector<std::string> log;  // "add ADDRESS", "remove ADDRESS"
  std::string state_after_add = "initial";
  bool drain_at_once = false;

 private:
  std::function<void(const elb::Target&)> listener_;
};

// One VPC with three subnets; addresses count up and are kept in the store, as the real one keeps them.
class FakeInterfaces final : public vpc::Interfaces {
 public:
  std::optional<vpc::Subnet> subnet(const std::string&, const std::string&, const std::string& id) override;
  std::vector<vpc::Subnet> default_subnets(const std::string&, const std::string&) override;
  bool has_security_group(const std::string&, const std::string&, const std::string& id) override;
  vpc::Interface allocate(store::Txn& tx, const vpc::InterfaceRequest& request) override;
  void release(store::Txn& tx, const std::string& interface_id) override;

  std::set<std::string> held;  // interfaces allocated and not released
  int next = 10;
  bool full = false;
};

class FakeCatalog final : public image::Catalog {
 public:
  bool owns(std::string_view host) const override { return host.empty() || host == "localhost:4566"; }
  std::optional<image::Digest> resolve(const image::Registry&,
                                       const image::Reference& reference) const override;
  boost::asio::awaitable<void> tag(const image::Registry&, const std::string&, const std::string&,
                                   const image::Digest&) override {
    co_return;
  }
  std::map<std::string, std::string> digests;  // "repository:tag" → digest
};

}  // namespace sampan::ecs::test
