// The whole of ECS over virtual time: one service behind a target group, a node and a balancer that take
// their time in random order, updates, scaling, deaths and restarts of the daemon in between. What must hold
// at every step: no signal reaches a task that could still be sent a request, no address is held twice or
// lost, and without deaths enough tasks are healthy. When it calms down, the service is what was asked for.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "ecs/plan.h"
#include "ecs/tests/world.h"

namespace sampan::ecs::test {
namespace {

using namespace std::chrono_literals;

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, bool deadly) : world_(seed), random_(seed), deadly_(deadly) {
    world_.link.stop_at_once = false;
    world_.create_cluster();
    world_.register_web();
    desired_ = 1 + pick(5);
    auto request = world_.service_request(desired_, true);
    request.deploymentConfiguration =
        api::ecs::DeploymentConfiguration{.maximumPercent = 200, .minimumHealthyPercent = 100};
    world_.call(&EcsApi::CreateService, request);
  }

  void step() {
    int dice = pick(100);
    if (dice < 4) return deploy();
    if (dice < 6) return scale();
    if (dice < 8) return world_.restart();
    if (dice < 20) return world_.advance(core::Millis(pick(3000)));
    if (deadly_ && dice < 24) return kill();
    something_happens(false);
  }

  void calm_down() {
    for (int i = 0; i < 500 && !done(); ++i) {
      something_happens(true);
      world_.advance(1s);
    }
  }

  bool done() {
    auto shown = world_.service();
    return shown.deployments->size() == 1 && shown.deployments->front().rolloutState == "COMPLETED" &&
           shown.runningCount == desired_ && healthy() == desired_ &&
           static_cast<int>(world_.link.tasks.size()) == desired_;
  }

  void check(const std::string& where) {
    for (const auto& id : world_.link.stopped) {
      auto found = world_.link.tasks.find(id);
      if (found == world_.link.tasks.end() || checked_.contains(id)) continue;
      checked_.insert(id);
      EXPECT_FALSE(world_.targets.targets.contains(target_of(found->second)))
          << where << ": signal before drain";
    }
    int lowest = std::min(floor_, desired_);
    if (!deadly_) {
      EXPECT_GE(healthy(), lowest) << where << ": too few healthy";
    }
    floor_ = std::max(std::min(floor_, desired_), std::min(healthy(), desired_));
    EXPECT_EQ(world_.interfaces.held.size(), unstopped()) << where << ": addresses";
  }

  std::string describe() {
    auto shown = world_.service();
    std::string text =
        fmt::format("desired {} running {} pending {} deployments {} node {}:", desired_, *shown.runningCount,
                    *shown.pendingCount, shown.deployments->size(), world_.link.tasks.size());
    for (const auto& [target, health] : world_.targets.targets) text += " " + health.state;
    for (const auto& message : world_.messages()) text += "\n  " + message;
    return text;
  }

 private:
  int pick(int below) { return static_cast<int>(random_.next() % below); }

  static elb::Target target_of(const FakeLink::Task& task) {
    return {std::string(kGroup), task.assignment.network.address, 8080};
  }

  int healthy() const {
    int count = 0;
    for (const auto& [target, health] : world_.targets.targets) count += health.state == "healthy";
    return count;
  }

  std::size_t unstopped() {
    std::size_t count = 0;
    for (const char* status : {"RUNNING", "STOPPED"}) {
      auto listed =
          world_.call(&EcsApi::ListTasks, api::ecs::ListTasksInput{.cluster = "c", .desiredStatus = status});
      if (listed.taskArns->empty()) continue;
      auto output = world_.call(&EcsApi::DescribeTasks,
                                api::ecs::DescribeTasksInput{.cluster = "c", .tasks = *listed.taskArns});
      for (const auto& task : *output.tasks) count += task.lastStatus != "STOPPED";
    }
    return count;
  }

  void deploy() {
    world_.call(&EcsApi::UpdateService,
                api::ecs::UpdateServiceInput{.cluster = "c", .service = "s", .forceNewDeployment = true});
  }
  void scale() {
    desired_ = 1 + pick(5);
    world_.call(&EcsApi::UpdateService,
                api::ecs::UpdateServiceInput{.cluster = "c", .service = "s", .desiredCount = desired_});
  }
  void kill() {
    for (auto& [id, task] : world_.link.tasks) {
      if (task.report.phase != node::TaskPhase::kRunning || pick(3) > 0) continue;
      world_.link.die(id, 1);
      break;
    }
    world_.settle();
  }

  // The node and the balancer get on with one thing each (or with everything).
  void something_happens(bool all) {
    for (const auto& [id, task] : std::map(world_.link.tasks)) {
      if (!all && pick(3) > 0) continue;
      if (task.stop_asked) {
        world_.link.finish_stop(id);
      } else if (task.report.phase == node::TaskPhase::kPending) {
        world_.link.run(id);
      }
    }
    for (const auto& [target, health] : std::map(world_.targets.targets)) {
      if (!all && pick(3) > 0) continue;
      if (health.state == "initial") world_.targets.set(target, "healthy");
      if (health.state == "draining") world_.targets.set(target, "unused");
    }
    world_.settle();
  }

  World world_;
  core::SeededIdSource random_;
  bool deadly_;
  int desired_ = 0;
  int floor_ = 0;  // how many healthy tasks there have to be by now
  std::set<std::string> checked_;
};

void simulate(std::uint64_t seed, bool deadly, int steps) {
  Simulation simulation(seed, deadly);
  for (int step = 0; step < steps; ++step) {
    simulation.step();
    simulation.check(fmt::format("seed {} step {}", seed, step));
    if (testing::Test::HasFailure()) FAIL() << simulation.describe();
  }
  simulation.calm_down();
  ASSERT_TRUE(simulation.done()) << "seed " << seed << "\n" << simulation.describe();
}

TEST(Simulation, UpdatesAndRestartsLoseNoRequest) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    simulate(seed, false, 150);
    if (HasFatalFailure()) return;
  }
}

TEST(Simulation, ConvergesAlthoughTasksDie) {
  for (std::uint64_t seed = 101; seed <= 112; ++seed) {
    simulate(seed, true, 150);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace sampan::ecs::test
