// plan_service() over random schedules: a crowd of tasks that start, settle, fall ill and die at random, a
// service that is scaled and deployed at random. Whatever happens, the bounds hold; when the storm ends, it
// converges.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <map>

#include "core/random.h"
#include "ecs/plan.h"

namespace sampan::ecs {
namespace {

class Storm {
 public:
  explicit Storm(std::uint64_t seed) : random_(seed) {
    view_.desired = 1 + pick(8);
    view_.minimum_percent = pick(3) * 50;
    view_.maximum_percent = 150 + pick(3) * 50;
    view_.primary = {.id = "d0"};
  }

  bool chance(int percent) { return static_cast<int>(random_.next() % 100) < percent; }
  int pick(int below) { return static_cast<int>(random_.next() % below); }

  int healthy() const {
    return count([](const PlanTask& t) { return t.wanted && t.fitness == Fitness::kHealthy; });
  }
  int wanted() const {
    return count([](const PlanTask& t) { return t.wanted; });
  }

  // One pass: what it may do to the counts is checked here.
  void pass(const std::string& where) {
    int lower = lower_bound(view_.desired, view_.minimum_percent);
    int upper = upper_bound(view_.desired, view_.maximum_percent);
    int healthy_before = healthy(), wanted_before = wanted();
    auto plan = plan_service(view_, now_);
    carry_out(plan);
    // Only dying by itself may push below; the plan's own stops may not.
    EXPECT_GE(healthy(), std::min(healthy_before, lower)) << where;
    // More than upper are only there when the service was scaled in or the percents fell; never more than
    // before.
    EXPECT_LE(wanted(), std::max(upper, wanted_before)) << where;
    if (plan.start > 0) {
      EXPECT_LE(wanted(), upper) << where;
    }
    steady_ = plan.steady;
  }

  void carry_out(const ServicePlan& plan) {
    for (const auto& stop : plan.stop) {
      for (auto& task : view_.tasks) {
        if (task.id == stop.id) task.wanted = false;
      }
    }
    for (const auto& id : plan.now_healthy) {
      for (auto& task : view_.tasks) {
        if (task.id == id) task.was_healthy = true;
      }
    }
    std::erase_if(view_.tasks, [](const PlanTask& task) { return task.failed_start; });
    for (int i = 0; i < plan.start; ++i) {
      view_.tasks.push_back({.id = fmt::format("t{}", next_task_++),
                             .deployment = view_.primary.id,
                             .checked = true,
                             .created_at = now_});
    }
    for (const auto& id : plan.retire) std::erase(view_.others, id);
    view_.primary.failed_tasks = plan.failed_tasks;
    if (plan.complete) view_.primary.completed = true;
    view_.start_rounds = plan.start_rounds;
    view_.next_start = plan.next_start;
  }

  // Time passes over the tasks: calm ones only get better.
  void live(bool calm) {
    now_ += core::Millis(calm ? 2000 : pick(1500));
    for (auto& task : view_.tasks) {
      if (!task.wanted) {
        if (chance(50)) gone_.push_back(task.id);
        continue;
      }
      if (task.fitness == Fitness::kPending && chance(60)) {
        task.fitness = Fitness::kSettling;
      } else if (task.fitness == Fitness::kSettling && chance(60)) {
        task.fitness = calm || chance(80) ? Fitness::kHealthy : Fitness::kUnhealthy;
      } else if (!calm && chance(5)) {
        task.fitness = Fitness::kUnhealthy;
      } else if (!calm && chance(4)) {
        task.failed_start = !task.was_healthy;
        if (task.was_healthy) gone_.push_back(task.id);
      }
    }
    for (const auto& id : gone_) {
      std::erase_if(view_.tasks, [&](const PlanTask& task) { return task.id == id; });
    }
    gone_.clear();
  }

  void change_wishes() {
    if (chance(3)) view_.desired = pick(9);
    if (!chance(3)) return;
    view_.others.push_back(view_.primary.id);
    view_.primary = {.id = fmt::format("d{}", ++deployments_)};
    view_.start_rounds = 0;
    view_.next_start.reset();
  }

  bool converged() const { return steady_ && healthy() == view_.desired && view_.others.empty(); }
  std::string describe() const {
    std::string text =
        fmt::format("desired {} [{}%,{}%]:", view_.desired, view_.minimum_percent, view_.maximum_percent);
    for (const auto& t : view_.tasks) {
      text += fmt::format(" {}@{}={}{}", t.id, t.deployment, int(t.fitness), t.wanted ? "" : "x");
    }
    return text;
  }
  // Whether the percents leave any move at all: with lower = upper neither starting nor stopping is possible.
  bool can_move() const {
    return lower_bound(view_.desired, view_.minimum_percent) <
               upper_bound(view_.desired, view_.maximum_percent) ||
           view_.others.empty();
  }

 private:
  template <class F>
  int count(F which) const {
    int n = 0;
    for (const auto& task : view_.tasks) n += !task.failed_start && which(task);
    return n;
  }

  core::SeededIdSource random_;
  ServiceView view_;
  core::TimePoint now_{core::Millis(1'000'000)};
  std::vector<std::string> gone_;
  int next_task_ = 0;
  int deployments_ = 0;
  bool steady_ = false;
};

TEST(PlanProperty, BoundsHoldInAnyStormAndCalmConverges) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Storm storm(seed);
    for (int step = 0; step < 120; ++step) {
      storm.change_wishes();
      storm.pass(fmt::format("seed {} step {}", seed, step));
      storm.live(false);
      if (HasFailure()) FAIL() << storm.describe();
    }
    for (int step = 0; step < 400 && !storm.converged(); ++step) {
      storm.pass(fmt::format("seed {} calm {}", seed, step));
      storm.live(true);
      if (HasFailure()) FAIL() << storm.describe();
    }
    if (storm.can_move()) {
      ASSERT_TRUE(storm.converged()) << "seed " << seed << ": " << storm.describe();
    }
  }
}

}  // namespace
}  // namespace sampan::ecs
