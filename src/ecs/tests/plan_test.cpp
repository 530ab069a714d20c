#include "ecs/plan.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sampan::ecs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const core::TimePoint kNow{core::Millis(1'000'000)};

PlanTask task(std::string id, std::string deployment, Fitness fitness, bool was_healthy = true) {
  return {.id = std::move(id),
          .deployment = std::move(deployment),
          .fitness = fitness,
          .checked = true,
          .was_healthy = was_healthy && fitness != Fitness::kPending,
          .created_at = kNow};
}

ServiceView service(int desired, int least, int most) {
  ServiceView view;
  view.desired = desired;
  view.minimum_percent = least;
  view.maximum_percent = most;
  view.primary = {.id = "new"};
  return view;
}

// `count` healthy tasks of the deployment that is being replaced.
void add_old(ServiceView& view, int count) {
  for (int i = 0; i < count; ++i)
    view.tasks.push_back(task(fmt::format("old{}", i), "old", Fitness::kHealthy));
  view.others = {"old"};
}

struct FirstMove {
  int desired, least, most, start, stop;
};

class FirstMoveTest : public testing::TestWithParam<FirstMove> {};

TEST_P(FirstMoveTest, OfARollingUpdateStaysWithinThePercents) {
  auto p = GetParam();
  auto view = service(p.desired, p.least, p.most);
  add_old(view, p.desired);
  auto plan = plan_service(view, kNow);
  EXPECT_EQ(plan.start, p.start);
  EXPECT_THAT(plan.stop, SizeIs(p.stop));
}

INSTANTIATE_TEST_SUITE_P(Table, FirstMoveTest,
                         testing::Values(FirstMove{4, 50, 100, 2, 2}, FirstMove{2, 75, 200, 2, 0},
                                         FirstMove{3, 100, 125, 0, 0}, FirstMove{1, 100, 200, 1, 0},
                                         FirstMove{4, 100, 200, 4, 0}, FirstMove{4, 0, 100, 4, 4},
                                         FirstMove{4, 100, 150, 2, 0}, FirstMove{10, 90, 110, 2, 1}));

TEST(PlanBounds, RoundLowerUpAndUpperDown) {
  EXPECT_EQ(lower_bound(3, 50), 2);
  EXPECT_EQ(upper_bound(3, 125), 3);
  EXPECT_EQ(lower_bound(0, 100), 0);
}

TEST(PlanBounds, BreakerThresholdIsHalfWithinThreeAndTwoHundred) {
  EXPECT_EQ(breaker_threshold(1), 3);
  EXPECT_EQ(breaker_threshold(25), 13);
  EXPECT_EQ(breaker_threshold(400), 200);
  EXPECT_EQ(breaker_threshold(800), 200);
}

TEST(Plan, StopsTheOldTaskOnlyWhenTheNewOneIsHealthy) {
  auto view = service(1, 100, 200);
  add_old(view, 1);
  view.tasks.push_back(task("n", "new", Fitness::kSettling, false));
  EXPECT_THAT(plan_service(view, kNow).stop, IsEmpty());
  view.tasks.back().fitness = Fitness::kHealthy;
  EXPECT_THAT(plan_service(view, kNow).stop, ElementsAre(PlannedStop{"old0", StopCause::kScaling, false}));
}

TEST(Plan, CompletesOnlyWhenTheLastOldTaskHasStopped) {
  auto view = service(1, 100, 200);
  add_old(view, 1);
  view.tasks[0].wanted = false;  // draining
  view.tasks.push_back(task("n", "new", Fitness::kHealthy));
  EXPECT_FALSE(plan_service(view, kNow).complete);
  view.tasks.erase(view.tasks.begin());
  auto plan = plan_service(view, kNow);
  EXPECT_TRUE(plan.complete);
  EXPECT_TRUE(plan.steady);
  EXPECT_THAT(plan.retire, ElementsAre("old"));
}

TEST(Plan, AYoungUncheckedOldTaskIsNotStoppedForBeingYoung) {
  auto view = service(1, 100, 200);
  view.others = {"old"};
  view.tasks.push_back({.id = "old", .deployment = "old", .fitness = Fitness::kSettling});
  EXPECT_THAT(plan_service(view, kNow).stop, IsEmpty());
}

// After a restart the balancer has not heard of any target yet.
TEST(Plan, OldTasksWhoseHealthIsUnknownForNowStay) {
  auto view = service(2, 100, 200);
  add_old(view, 2);
  for (auto& old : view.tasks) old.fitness = Fitness::kSettling;
  view.tasks.push_back(task("n", "new", Fitness::kSettling));
  EXPECT_THAT(plan_service(view, kNow).stop, IsEmpty());
}

TEST(Plan, PendingTasksOfASupersededDeploymentGoAtOnce) {
  auto view = service(2, 100, 200);
  view.others = {"old"};
  view.tasks = {task("a", "old", Fitness::kPending), task("b", "old", Fitness::kPending)};
  auto plan = plan_service(view, kNow);
  EXPECT_THAT(plan.stop, SizeIs(2));
  EXPECT_TRUE(plan.stop[0].pending);
  EXPECT_EQ(plan.start, 2);
}

TEST(Plan, SaysThatItIsStuckWhenNeitherMoveIsPossible) {
  auto view = service(1, 100, 150);
  add_old(view, 1);
  auto plan = plan_service(view, kNow);
  EXPECT_TRUE(plan.stuck);
  EXPECT_EQ(plan.start, 0);
  EXPECT_THAT(plan.stop, IsEmpty());
}

TEST(Plan, ReplacesAnUnhealthyTaskBeforeStoppingItWhereThereIsRoom) {
  auto view = service(2, 100, 200);
  view.primary.completed = true;
  view.tasks = {task("good", "new", Fitness::kHealthy), task("bad", "new", Fitness::kUnhealthy)};
  auto plan = plan_service(view, kNow);
  EXPECT_EQ(plan.start, 1);
  EXPECT_EQ(plan.replaced_unhealthy, 1);
  EXPECT_THAT(plan.stop, IsEmpty());
  view.tasks.push_back(task("fresh", "new", Fitness::kHealthy));
  plan = plan_service(view, kNow);
  EXPECT_EQ(plan.start, 0);
  EXPECT_THAT(plan.stop, ElementsAre(PlannedStop{"bad", StopCause::kUnhealthy, false}));
}

TEST(Plan, StopsUnhealthyTasksOneByOneWhereThereIsNoRoom) {
  auto view = service(3, 50, 100);
  view.primary.completed = true;
  view.tasks = {task("good", "new", Fitness::kHealthy), task("bad1", "new", Fitness::kUnhealthy),
                task("bad2", "new", Fitness::kUnhealthy)};
  EXPECT_THAT(plan_service(view, kNow).stop, SizeIs(1));
}

TEST(Plan, ScaleInTakesWhatServesLeastFirst) {
  auto view = service(1, 100, 200);
  view.primary.completed = true;
  view.tasks = {task("a", "new", Fitness::kHealthy), task("b", "new", Fitness::kPending)};
  EXPECT_THAT(plan_service(view, kNow).stop, ElementsAre(PlannedStop{"b", StopCause::kScaling, true}));
}

TEST(Plan, ScaleInKeepsZonesEven) {
  auto view = service(2, 100, 200);
  view.primary.completed = true;
  for (const char* name : {"a1", "a2", "b1"}) {
    view.tasks.push_back(task(name, "new", Fitness::kHealthy));
    view.tasks.back().zone = name[0];
  }
  auto plan = plan_service(view, kNow);
  ASSERT_THAT(plan.stop, SizeIs(1));
  EXPECT_EQ(plan.stop[0].id[0], 'a');
}

PlanTask failed(std::string id) {
  return {.id = std::move(id), .deployment = "new", .failed_start = true};
}

TEST(PlanFailures, DoubleTheGapEachRoundUpToTheLongest) {
  auto view = service(1, 100, 200);
  view.longest_gap = core::Millis(3000);
  view.tasks = {failed("f")};
  auto now = kNow;
  for (int gap : {1000, 2000, 3000, 3000}) {
    auto plan = plan_service(view, now);
    ASSERT_TRUE(plan.next_start);
    EXPECT_EQ(*plan.next_start, now + core::Millis(gap));
    EXPECT_EQ(plan.start, 0);
    view.start_rounds = plan.start_rounds;
    view.next_start = plan.next_start;
    now = *plan.next_start;
  }
}

TEST(PlanFailures, SeenTogetherAreOneRound) {
  auto view = service(5, 100, 200);
  view.tasks = {failed("a"), failed("b"), failed("c")};
  auto plan = plan_service(view, kNow);
  EXPECT_EQ(plan.start_rounds, 1);
  EXPECT_EQ(plan.failed_tasks, 3);
  EXPECT_THAT(plan.counted, SizeIs(3));
}

TEST(PlanFailures, CountAsSoonAsTheTaskBeginsToEnd) {
  auto view = service(1, 100, 200);
  view.tasks = {failed("f")};
  view.tasks[0].ending = true;
  view.tasks[0].wanted = false;
  auto plan = plan_service(view, kNow);
  EXPECT_THAT(plan.counted, ElementsAre("f"));
  EXPECT_EQ(plan.start, 0);
  EXPECT_EQ(plan.next_start, kNow + core::Millis(1000));
  EXPECT_FALSE(plan.steady);
}

TEST(PlanFailures, AreForgottenWhenATaskProvesHealthy) {
  auto view = service(1, 100, 200);
  view.primary.failed_tasks = 2;
  view.start_rounds = 2;
  view.next_start = kNow + core::Millis(4000);
  view.tasks = {task("a", "new", Fitness::kHealthy, false)};
  auto plan = plan_service(view, kNow);
  EXPECT_EQ(plan.failed_tasks, 0);
  EXPECT_EQ(plan.start_rounds, 0);
  EXPECT_FALSE(plan.next_start);
  EXPECT_THAT(plan.now_healthy, ElementsAre("a"));
}

TEST(PlanBreaker, OpensAtTheThresholdAndNamesWhereToReturn) {
  auto view = service(1, 100, 200);
  view.breaker = view.rollback = true;
  view.rollback_to = "old";
  view.primary.failed_tasks = 2;
  add_old(view, 1);
  EXPECT_FALSE(plan_service(view, kNow).fail);
  view.tasks.push_back(failed("f"));
  auto plan = plan_service(view, kNow);
  EXPECT_TRUE(plan.fail);
  EXPECT_EQ(plan.roll_back_to, "old");
  EXPECT_THAT(plan.stop, IsEmpty());
}

TEST(PlanBreaker, WithoutRollbackLeavesTheOldTasksAndStartsNothing) {
  auto view = service(2, 100, 200);
  view.breaker = true;
  view.primary.failed = true;
  add_old(view, 2);
  auto plan = plan_service(view, kNow);
  EXPECT_EQ(plan.start, 0);
  EXPECT_THAT(plan.stop, IsEmpty());
  EXPECT_FALSE(plan.steady);
}

TEST(PlanBreaker, CountsFailedHealthChecksOfADeployment) {
  auto view = service(1, 100, 200);
  view.breaker = true;
  view.primary.failed_tasks = 2;
  view.tasks = {task("bad", "new", Fitness::kUnhealthy, false)};
  auto plan = plan_service(view, kNow);
  EXPECT_THAT(plan.stop, SizeIs(1));
  EXPECT_EQ(plan.failed_tasks, 3);
}

TEST(PlanDrain, StopsEverythingThenIsGone) {
  auto view = service(0, 100, 200);
  view.draining = true;
  view.tasks = {task("a", "new", Fitness::kHealthy), task("b", "new", Fitness::kPending)};
  auto plan = plan_service(view, kNow);
  EXPECT_THAT(plan.stop, SizeIs(2));
  EXPECT_FALSE(plan.gone);
  view.tasks.clear();
  EXPECT_TRUE(plan_service(view, kNow).gone);
}

}  // namespace
}  // namespace sampan::ecs
