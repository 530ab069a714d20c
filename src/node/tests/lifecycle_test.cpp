#include "node/lifecycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"

namespace sampan::node {
namespace {

using namespace std::chrono_literals;
using Kind = Action::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

core::TimePoint at(int seconds) {
  return core::TimePoint(std::chrono::seconds(1000 + seconds));
}

TaskAssignment task_of(std::vector<std::string> names) {
  TaskAssignment task;
  task.task_arn = "arn:task";
  task.launch_type = "FARGATE";
  for (auto& name : names) {
    ContainerAssignment container;
    container.name = std::move(name);
    task.containers.push_back(container);
  }
  return task;
}

TaskFacts facts_of(std::vector<Stage> stages) {
  TaskFacts facts;
  facts.sandbox_ready = true;
  for (auto stage : stages) {
    ContainerFacts container;
    container.stage = stage;
    if (stage >= Stage::kRunning) container.started_at = at(0);
    facts.containers.push_back(container);
  }
  return facts;
}

std::vector<std::string> words(const Plan& plan) {
  static const std::map<Kind, std::string> names = {{Kind::kPull, "pull"},         {Kind::kStart, "start"},
                                                    {Kind::kCheckHealth, "check"}, {Kind::kTerminate, "term"},
                                                    {Kind::kKill, "kill"},         {Kind::kSkip, "skip"},
                                                    {Kind::kStopTask, "end"},      {Kind::kFinish, "finish"}};
  std::vector<std::string> list;
  for (const auto& action : plan.actions) {
    auto name = names.at(action.kind);
    if (action.kind == Kind::kStopTask) {
      list.push_back(name + " " + action.stop_code + ": " + action.reason);
    } else if (action.kind == Kind::kFinish) {
      list.push_back(name);
    } else {
      list.push_back(name + " " + std::to_string(action.container));
    }
  }
  return list;
}

TEST(PlanTask, PullsEverythingAtOnceAndStartsWhatIsReady) {
  auto task = task_of({"a", "b"});
  EXPECT_THAT(words(plan_task(task, facts_of({Stage::kWaiting, Stage::kWaiting}), at(0))),
              ElementsAre("pull 0", "pull 1"));
  EXPECT_THAT(words(plan_task(task, facts_of({Stage::kPulled, Stage::kPulling}), at(0))),
              ElementsAre("start 0"));
  EXPECT_THAT(words(plan_task(task, facts_of({Stage::kStarting, Stage::kRunning}), at(0))), IsEmpty());
}

TEST(PlanTask, WaitsForTheSandboxBeforeStarting) {
  auto facts = facts_of({Stage::kPulled});
  facts.sandbox_ready = false;
  EXPECT_THAT(words(plan_task(task_of({"a"}), facts, at(0))), IsEmpty());
  facts.sandbox_error = "no network";
  EXPECT_THAT(words(plan_task(task_of({"a"}), facts, at(0))),
              ElementsAre("end TaskFailedToStart: no network"));
}

struct DependencyCase {
  std::string condition;
  Stage stage;
  std::optional<int> exit_code;
  Health health;
  bool failed;
  std::string expected;  // "start", "wait", "never"
};

TEST(PlanTask, JudgesDependenciesByCondition) {
  const std::vector<DependencyCase> cases = {
      {"START", Stage::kPulled, {}, Health::kUnknown, false, "wait"},
      {"START", Stage::kStarting, {}, Health::kUnknown, false, "wait"},
      {"START", Stage::kRunning, {}, Health::kUnknown, false, "start"},
      {"START", Stage::kStopped, 0, Health::kUnknown, false, "start"},
      {"START", Stage::kStopped, {}, Health::kUnknown, true, "never"},
      {"COMPLETE", Stage::kRunning, {}, Health::kUnknown, false, "wait"},
      {"COMPLETE", Stage::kStopped, 3, Health::kUnknown, false, "start"},
      {"COMPLETE", Stage::kStopped, {}, Health::kUnknown, false, "never"},
      {"SUCCESS", Stage::kRunning, {}, Health::kUnknown, false, "wait"},
      {"SUCCESS", Stage::kStopped, 0, Health::kUnknown, false, "start"},
      {"SUCCESS", Stage::kStopped, 3, Health::kUnknown, false, "never"},
      {"HEALTHY", Stage::kRunning, {}, Health::kUnknown, false, "wait"},
      {"HEALTHY", Stage::kRunning, {}, Health::kUnhealthy, false, "wait"},
      {"HEALTHY", Stage::kRunning, {}, Health::kHealthy, false, "start"},
      {"HEALTHY", Stage::kStopped, 0, Health::kHealthy, false, "never"},
  };
  for (const auto& one : cases) {
    auto task = task_of({"dependant", "dependency"});
    task.containers[0].depends_on = {{"dependency", one.condition}};
    task.containers[1].essential = false;
    auto facts = facts_of({Stage::kPulled, one.stage});
    facts.containers[1].exit_code = one.exit_code;
    facts.containers[1].health.status = one.health;
    facts.containers[1].failed = one.failed;
    if (one.stage == Stage::kPulled) facts.containers[1].stage = Stage::kPulling;
    auto plan = words(plan_task(task, facts, at(1)));
    auto label = fmt::format("{} stage {} code {}", one.condition, static_cast<int>(one.stage),
                             one.exit_code.value_or(-1));
    if (one.expected == "start") EXPECT_THAT(plan, ElementsAre("start 0")) << label;
    if (one.expected == "wait") EXPECT_THAT(plan, IsEmpty()) << label;
    if (one.expected == "never") {
      EXPECT_THAT(plan, ElementsAre("end TaskFailedToStart: TaskDependencyError: Task dependencies cannot be "
                                    "resolved, taskArn: arn:task"))
          << label;
    }
  }
}

TEST(PlanTask, EndsTheTaskWhenADependencyTakesTooLong) {
  auto task = task_of({"app", "db"});
  task.containers[0].depends_on = {{"db", "HEALTHY"}};
  task.containers[1].start_timeout_seconds = 90;
  auto facts = facts_of({Stage::kPulled, Stage::kRunning});
  auto before = plan_task(task, facts, at(89));
  EXPECT_THAT(before.actions, IsEmpty());
  EXPECT_EQ(before.wake_at, at(90));
  EXPECT_THAT(
      words(plan_task(task, facts, at(90))),
      ElementsAre(
          "end TaskFailedToStart: ContainerRuntimeTimeoutError: Could not transition to HEALTHY; timed out "
          "after waiting 1m30s"));
}

TEST(PlanTask, EssentialExitEndsTheTaskAndOthersDoNot) {
  auto task = task_of({"main", "side"});
  task.containers[1].essential = false;
  EXPECT_THAT(words(plan_task(task, facts_of({Stage::kRunning, Stage::kStopped}), at(1))), IsEmpty());
  EXPECT_THAT(words(plan_task(task, facts_of({Stage::kStopped, Stage::kRunning}), at(1))),
              ElementsAre("end EssentialContainerExited: Essential container in task exited"));
  auto failed = facts_of({Stage::kStopped, Stage::kRunning});
  failed.containers[0].failed = true;
  failed.containers[0].reason = "CannotPullContainerError: gone";
  EXPECT_THAT(words(plan_task(task, failed, at(1))),
              ElementsAre("end TaskFailedToStart: CannotPullContainerError: gone"));
}

TEST(PlanTask, StopsDependantsFirst) {
  auto task = task_of({"proxy", "app", "db"});
  task.containers[0].depends_on = {{"app", "START"}};
  task.containers[1].depends_on = {{"db", "HEALTHY"}};
  auto facts = facts_of({Stage::kRunning, Stage::kRunning, Stage::kRunning});
  facts.stop_wanted = true;
  EXPECT_THAT(words(plan_task(task, facts, at(5))), ElementsAre("term 0"));
  facts.containers[0].terminated_at = at(5);
  EXPECT_THAT(words(plan_task(task, facts, at(5))), IsEmpty());
  facts.containers[0].stage = Stage::kStopped;
  EXPECT_THAT(words(plan_task(task, facts, at(6))), ElementsAre("term 1"));
  facts.containers[1].stage = Stage::kStopped;
  EXPECT_THAT(words(plan_task(task, facts, at(7))), ElementsAre("term 2"));
}

TEST(PlanTask, KillsWhatDoesNotStopInTime) {
  auto task = task_of({"a"});
  task.containers[0].stop_timeout_seconds = 7;
  auto facts = facts_of({Stage::kRunning});
  facts.stop_wanted = true;
  facts.containers[0].terminated_at = at(10);
  auto waiting = plan_task(task, facts, at(16));
  EXPECT_THAT(waiting.actions, IsEmpty());
  EXPECT_EQ(waiting.wake_at, at(17));
  EXPECT_THAT(words(plan_task(task, facts, at(17))), ElementsAre("kill 0"));
  facts.containers[0].killed = true;
  EXPECT_THAT(words(plan_task(task, facts, at(18))), IsEmpty());
  task.containers[0].stop_timeout_seconds.reset();
  facts.containers[0].killed = false;
  EXPECT_EQ(plan_task(task, facts, at(16)).wake_at, at(40)) << "30 s when nothing is said";
}

TEST(PlanTask, SkipsWhatNeverRanAndWaitsForWhatIsUnderWay) {
  auto task = task_of({"a", "b", "c"});
  auto facts = facts_of({Stage::kPulling, Stage::kStarting, Stage::kWaiting});
  facts.stop_wanted = true;
  EXPECT_THAT(words(plan_task(task, facts, at(0))), ElementsAre("skip 0", "skip 2"));
  auto done = facts_of({Stage::kStopped, Stage::kStopped, Stage::kStopped});
  done.stop_wanted = true;
  done.sandbox_busy = true;
  EXPECT_THAT(words(plan_task(task, done, at(0))), IsEmpty());
  done.sandbox_busy = false;
  EXPECT_THAT(words(plan_task(task, done, at(0))), ElementsAre("finish"));
}

TEST(PlanTask, ChecksHealthEveryInterval) {
  auto task = task_of({"a"});
  task.containers[0].health_check = HealthCheck{{"CMD-SHELL", "true"}, 10, 5, 3, 0};
  auto facts = facts_of({Stage::kRunning});
  EXPECT_EQ(plan_task(task, facts, at(3)).wake_at, at(10));
  EXPECT_THAT(words(plan_task(task, facts, at(10))), ElementsAre("check 0"));
  facts.containers[0].health.checking = true;
  EXPECT_THAT(words(plan_task(task, facts, at(30))), IsEmpty());
  facts.containers[0].health.checking = false;
  facts.containers[0].health.checked_at = at(12);
  EXPECT_EQ(plan_task(task, facts, at(13)).wake_at, at(22));
}

TEST(HealthResult, CountsFailuresOutsideTheStartPeriodOnly) {
  HealthCheck check{{"CMD", "x"}, 10, 5, 2, 60};
  HealthFacts health;
  apply_health_result(health, check, at(0), at(10), at(11), false);
  apply_health_result(health, check, at(0), at(59), at(60), false);
  EXPECT_EQ(health.status, Health::kUnknown);
  EXPECT_EQ(health.failures, 0);
  apply_health_result(health, check, at(0), at(60), at(61), false);
  EXPECT_EQ(health.status, Health::kUnknown);
  apply_health_result(health, check, at(0), at(70), at(71), false);
  EXPECT_EQ(health.status, Health::kUnhealthy);
  apply_health_result(health, check, at(0), at(80), at(81), true);
  EXPECT_EQ(health.status, Health::kHealthy);
}

TEST(HealthResult, ASuccessEndsTheStartPeriod) {
  HealthCheck check{{"CMD", "x"}, 10, 5, 1, 600};
  HealthFacts health;
  apply_health_result(health, check, at(0), at(10), at(11), true);
  apply_health_result(health, check, at(0), at(20), at(21), false);
  EXPECT_EQ(health.status, Health::kUnhealthy);
}

// Any order of events: stages only go forward, nothing is started after the wish to stop, dependencies hold
// at each start, and once stopping begins everything ends.
class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed) : random_(seed) {
    task_ = task_of({"a", "b", "c", "d"});
    const char* conditions[] = {"START", "COMPLETE", "SUCCESS", "HEALTHY"};
    for (std::size_t i = 1; i < task_.containers.size(); ++i) {
      task_.containers[i].essential = chance(2);
      if (chance(2)) task_.containers[i].depends_on = {{task_.containers[pick(i)].name, conditions[pick(4)]}};
      if (chance(3)) task_.containers[i].health_check = HealthCheck{{"CMD", "x"}, 1, 1, 1, 0};
      if (chance(3)) task_.containers[i].start_timeout_seconds = 5;
    }
    facts_ = facts_of({Stage::kWaiting, Stage::kWaiting, Stage::kWaiting, Stage::kWaiting});
    facts_.sandbox_ready = false;
  }

  bool run() {
    for (int step = 0; step < 4000 && !finished_; ++step) {
      now_ += std::chrono::milliseconds(pick(700));
      auto before = facts_;
      auto plan = plan_task(task_, facts_, now_);
      for (const auto& action : plan.actions) carry_out(action);
      if (!finished_) happen();
      if (step > 300) facts_.stop_wanted = true;
      for (std::size_t i = 0; i < facts_.containers.size(); ++i) {
        EXPECT_GE(facts_.containers[i].stage, before.containers[i].stage);
      }
      EXPECT_TRUE(!before.stop_wanted || facts_.stop_wanted);
    }
    return finished_;
  }

 private:
  std::size_t pick(std::size_t n) { return random_.next() % n; }
  bool chance(std::size_t n) { return pick(n) == 0; }

  void carry_out(const Action& action) {
    auto& container = facts_.containers[action.container];
    switch (action.kind) {
      case Kind::kPull:
        EXPECT_EQ(container.stage, Stage::kWaiting);
        container.stage = Stage::kPulling;
        break;
      case Kind::kStart:
        EXPECT_EQ(container.stage, Stage::kPulled);
        EXPECT_FALSE(facts_.stop_wanted);
        EXPECT_TRUE(facts_.sandbox_ready);
        container.stage = Stage::kStarting;
        break;
      case Kind::kCheckHealth:
        EXPECT_EQ(container.stage, Stage::kRunning);
        container.health.checking = true;
        break;
      case Kind::kTerminate:
        EXPECT_TRUE(facts_.stop_wanted);
        EXPECT_FALSE(container.terminated_at);
        container.terminated_at = now_;
        break;
      case Kind::kKill:
        EXPECT_TRUE(container.terminated_at && now_ - *container.terminated_at >= 30s);
        container.killed = true;
        break;
      case Kind::kSkip:
        container.stage = Stage::kStopped;
        break;
      case Kind::kStopTask:
        EXPECT_FALSE(facts_.stop_wanted);
        facts_.stop_wanted = true;
        break;
      case Kind::kFinish:
        for (const auto& one : facts_.containers) EXPECT_EQ(one.stage, Stage::kStopped);
        finished_ = true;
        break;
    }
  }

  void happen() {
    if (chance(3)) facts_.sandbox_ready = true;
    auto& container = facts_.containers[pick(facts_.containers.size())];
    if (container.stage == Stage::kPulling || container.stage == Stage::kStarting) {
      if (chance(10)) {
        container.stage = Stage::kStopped;
        container.failed = true;
      } else {
        container.stage = container.stage == Stage::kPulling ? Stage::kPulled : Stage::kRunning;
        if (container.stage == Stage::kRunning) container.started_at = now_;
      }
      return;
    }
    if (container.stage != Stage::kRunning) return;
    if (container.health.checking) {
      apply_health_result(container.health, HealthCheck{{"CMD", "x"}, 1, 1, 1, 0}, *container.started_at,
                          now_, now_, chance(2));
    }
    bool ends = container.killed || (container.terminated_at ? chance(20) : chance(30));
    if (!ends) return;
    container.stage = Stage::kStopped;
    if (!chance(10)) container.exit_code = container.killed ? 137 : static_cast<int>(pick(2));
    container.finished_at = now_;
  }

  core::SeededIdSource random_;
  TaskAssignment task_;
  TaskFacts facts_;
  core::TimePoint now_ = at(0);
  bool finished_ = false;
};

TEST(PlanTask, KeepsItsPromisesInAnyOrderOfEvents) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    EXPECT_TRUE(RandomLife(seed).run()) << "seed " << seed;
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace sampan::node
