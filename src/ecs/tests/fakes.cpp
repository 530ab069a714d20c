#include "ecs/tests/fakes.h"

#include <fmt/core.h>

#include "core/error.h"

namespace sampan::ecs::test {

boost::asio::awaitable<void> FakeLink::assign(node::TaskAssignment assignment) {
  if (refuse) throw core::Error("assigning", "the node refuses");
  auto id = assignment.task_id;
  if (tasks.contains(id)) co_return;
  Task task;
  task.report.task_id = id;
  for (const auto& container : assignment.containers)
    task.report.containers.push_back({.name = container.name});
  task.assignment = std::move(assignment);
  auto& kept = tasks.emplace(id, std::move(task)).first->second;
  report(kept);
  if (run_at_once) run(id);
}

boost::asio::awaitable<void> FakeLink::stop(std::string task_id) {
  stopped.push_back(task_id);
  auto found = tasks.find(task_id);
  if (found == tasks.end()) {
    Task gone;
    gone.report.task_id = task_id;
    gone.report.phase = node::TaskPhase::kStopped;
    gone.report.sequence = 1'000'000;
    if (handler_) handler_(gone.report);
    co_return;
  }
  found->second.stop_asked = true;
  if (stop_at_once) finish_stop(task_id);
}

boost::asio::awaitable<void> FakeLink::forget(std::string task_id) {
  forgotten.push_back(task_id);
  tasks.erase(task_id);
  co_return;
}

std::vector<node::TaskReport> FakeLink::reports() const {
  std::vector<node::TaskReport> all;
  for (const auto& [id, task] : tasks) all.push_back(task.report);
  return all;
}

void FakeLink::run(const std::string& id) {
  auto& task = tasks.at(id);
  task.report.phase = node::TaskPhase::kRunning;
  task.report.started_at = now();
  for (auto& container : task.report.containers) container.status = node::ContainerStatus::kRunning;
  report(task);
}

void FakeLink::health(const std::string& id, node::Health health) {
  auto& task = tasks.at(id);
  for (auto& container : task.report.containers) container.health = health;
  report(task);
}

void FakeLink::die(const std::string& id, int exit_code) {
  auto& task = tasks.at(id);
  task.report.phase = node::TaskPhase::kStopped;
  task.report.stop_code = "EssentialContainerExited";
  task.report.stopped_reason = "Essential container in task exited";
  task.report.execution_stopped_at = now();
  task.report.stopped_at = now();
  for (auto& container : task.report.containers) {
    container.status = node::ContainerStatus::kStopped;
    container.exit_code = exit_code;
  }
  report(task);
}

void FakeLink::fail(const std::string& id, const std::string& why) {
  auto& task = tasks.at(id);
  task.report.phase = node::TaskPhase::kStopped;
  task.report.stop_code = "TaskFailedToStart";
  task.report.stopped_reason = why;
  for (auto& container : task.report.containers) {
    container.status = node::ContainerStatus::kStopped;
    container.reason = why;
  }
  report(task);
}

void FakeLink::finish_stop(const std::string& id) {
  auto& task = tasks.at(id);
  task.report.phase = node::TaskPhase::kStopped;
  task.report.execution_stopped_at = now();
  task.report.stopped_at = now();
  for (auto& container : task.report.containers) {
    container.status = node::ContainerStatus::kStopped;
    container.exit_code = 143;
  }
  report(task);
}

void FakeLink::report(Task& task) {
  ++task.report.sequence;
  auto copy = task.report;
  if (handler_) handler_(copy);
}

std::optional<elb::GroupFacts> FakeTargets::group(const std::string& group_arn) const {
  auto found = groups.find(group_arn);
  return found == groups.end() ? std::nullopt : std::optional(found->second);
}

boost::asio::awaitable<void> FakeTargets::add(elb::Target target, std::string) {
  log.push_back("add " + target.address);
  if (!groups.contains(target.group_arn)) throw core::Error("adding a target", "no such group");
  set(target, state_after_add);
  co_return;
}

boost::asio::awaitable<void> FakeTargets::remove(elb::Target target) {
  if (!targets.contains(target) || targets[target].state == "draining") co_return;
  log.push_back("remove " + target.address);
  set(target, drain_at_once ? "unused" : "draining");
}

elb::TargetHealth FakeTargets::health(const elb::Target& target) const {
  auto found = targets.find(target);
  return found == targets.end() ? elb::TargetHealth{.state = "unused"} : found->second;
}

void FakeTargets::set(const elb::Target& target, const std::string& state, const std::string& description) {
  if (state == "unused") {
    targets.erase(target);
  } else {
    targets[target] = {.state = state, .description = description};
  }
  if (listener_) listener_(target);
}

std::optional<vpc::Subnet> FakeInterfaces::subnet(const std::string& account, const std::string& region,
                                                  const std::string& id) {
  for (auto& subnet : default_subnets(account, region)) {
    if (subnet.id == id) return subnet;
  }
  return std::nullopt;
}

std::vector<vpc::Subnet> FakeInterfaces::default_subnets(const std::string&, const std::string& region) {
  std::vector<vpc::Subnet> subnets;
  for (int i = 0; i < 3; ++i) {
    subnets.push_back({.id = fmt::format("subnet-{}", char('a' + i)),
                       .vpc_id = "vpc-1",
                       .cidr = fmt::format("172.30.{}.0/20", i * 16),
                       .availability_zone = region + char('a' + i),
                       .gateway = fmt::format("172.30.{}.1", i * 16),
                       .prefix_length = 20,
                       .vpc_cidr = "172.30.0.0/16"});
  }
  return subnets;
}

bool FakeInterfaces::has_security_group(const std::string&, const std::string&, const std::string& id) {
  return id == "sg-1";
}

vpc::Interface FakeInterfaces::allocate(store::Txn&, const vpc::InterfaceRequest& request) {
  if (full) throw core::Error("subnet has no free address");
  vpc::Interface interface;
  int number = next++;
  interface.id = fmt::format("eni-{}", number);
  interface.mac = fmt::format("02:00:00:00:{:02x}:{:02x}", number / 256, number % 256);
  interface.subnet = *subnet(request.account, request.region, request.subnet_id);
  interface.address = fmt::format("172.30.{}.{}", number / 256, number % 256);
  interface.private_dns_name = "ip.ec2.internal";
  interface.security_groups = request.security_groups;
  held.insert(interface.id);
  return interface;
}

void FakeInterfaces::release(store::Txn&, const std::string& interface_id) {
  if (held.erase(interface_id) != 1) throw core::Error("interface released twice: " + interface_id);
}

std::optional<image::Digest> FakeCatalog::resolve(const image::Registry&,
                                                  const image::Reference& reference) const {
  auto found = digests.find(reference.repository + ":" + reference.tag);
  return found == digests.end() ? std::nullopt : image::Digest::parse(found->second);
}

}  // namespace sampan::ecs::test
