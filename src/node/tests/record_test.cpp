#include "node/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "node/mounts.h"
#include "node/recovery.h"

namespace sampan::node {
namespace {

core::TimePoint at(int seconds) {
  return core::TimePoint(std::chrono::seconds(1000 + seconds));
}

Intent intent_of(std::size_t containers) {
  Intent intent;
  auto& task = intent.assignment;
  task.task_id = "0123456789abcdef0123456789abcdef";
  task.network.address = "172.30.0.17";
  task.tags = {{"k", "v"}};
  for (std::size_t i = 0; i < containers; ++i) {
    ContainerAssignment container;
    container.name = "c" + std::to_string(i);
    container.command = std::vector<std::string>{"a", "b"};
    container.environment = {{"A", "1"}, {"B", "=\"\n"}};
    container.memory_mib = 64;
    container.health_check = HealthCheck{{"CMD", "x"}, 7, 3, 2, 1};
    container.depends_on = {{"c0", "START"}};
    container.volumes_from = {{"c0", true}};
    container.ulimits = {{"nofile", 1, -1}};
    container.log = {"awslogs", {{"awslogs-group", "g"}}};
    task.containers.push_back(container);
    intent.runtime_ids.push_back(task.task_id + "-100000000" + std::to_string(i));
  }
  intent.credentials_id = "u-u-i-d";
  return intent;
}

TEST(Record, IntentComesBackAsItWas) {
  auto intent = intent_of(2);
  auto text = render_intent(intent);
  auto back = parse_intent(text);
  EXPECT_EQ(render_intent(back), text);
  EXPECT_EQ(back.runtime_ids, intent.runtime_ids);
  EXPECT_EQ(back.assignment.containers[1].environment, intent.assignment.containers[1].environment);
  EXPECT_EQ(back.assignment.containers[1].health_check->interval_seconds, 7);
  EXPECT_EQ(back.assignment.containers[0].volumes_from, intent.assignment.containers[0].volumes_from);
  EXPECT_FALSE(back.assignment.containers[0].entry_point);
}

TEST(Record, StateComesBackAsItWas) {
  auto record = new_record(intent_of(1));
  record.sequence = 1ull << 60;
  record.phase = TaskPhase::kStopping;
  record.stopped_reason = "why";
  record.stopping_at = at(3);
  record.containers[0].facts.exit_code = 137;
  record.containers[0].facts.stage = Stage::kStopped;
  record.containers[0].bindings = {{"0.0.0.0", 80, 32768, "tcp"}};
  auto back = parse_record(render_record(record));
  EXPECT_EQ(render_record(back), render_record(record));
  EXPECT_EQ(back.sequence, 1ull << 60);
  EXPECT_EQ(back.stopping_at, at(3));
  EXPECT_EQ(back.containers[0].facts.exit_code, 137);
}

TEST(Record, RefusesOtherTexts) {
  for (const char* bad :
       {"", "[]", "{\"assignment\":3}", "{\"assignment\":{\"containers\":[{}]},\"runtimeIds\":[]}"}) {
    EXPECT_THROW(parse_intent(bad), core::Error) << bad;
  }
  EXPECT_THROW(parse_record("{\"containers\":[{\"facts\":{\"stage\":\"x\"}}]}"), core::Error);
}

TEST(Record, RunsWhenEveryContainerHasRun) {
  auto intent = intent_of(2);
  auto record = new_record(intent);
  record.containers[0].facts.stage = Stage::kRunning;
  record.containers[0].facts.started_at = at(1);
  record.containers[1].facts.stage = Stage::kStarting;
  settle(intent, record, at(2));
  EXPECT_EQ(record.phase, TaskPhase::kPending);
  record.containers[1].facts.stage = Stage::kRunning;
  record.containers[1].facts.started_at = at(3);
  settle(intent, record, at(4));
  EXPECT_EQ(record.phase, TaskPhase::kRunning);
  EXPECT_EQ(record.started_at, at(3)) << "the last to start";
}

TEST(Record, StoppingKeepsTheFirstEssentialEnd) {
  auto intent = intent_of(2);
  auto record = new_record(intent);
  record.containers[1].facts = {Stage::kStopped, false, 1, "", at(1), at(9)};
  record.stop_wanted = true;
  settle(intent, record, at(10));
  EXPECT_EQ(record.phase, TaskPhase::kStopping);
  EXPECT_EQ(record.stopping_at, at(10));
  EXPECT_EQ(record.execution_stopped_at, at(9));
  EXPECT_FALSE(record.started_at) << "it never ran as a whole";
  settle(intent, record, at(11));
  EXPECT_EQ(record.stopping_at, at(10));
}

// A container that ends at once: its monitor's time of the end lies before the time its start was noted.
TEST(Record, TimesAreInOrderWhenAContainerEndsAtOnce) {
  auto intent = intent_of(1);
  intent.assigned_at = at(10);
  auto record = new_record(intent);
  record.pull_started_at = at(9);  // the clock was set back
  record.pull_stopped_at = at(12);
  record.containers[0].facts = {Stage::kStopped, false, 0, "", at(20), at(19)};
  settle(intent, record, at(21));
  EXPECT_EQ(record.phase, TaskPhase::kRunning);
  record.stop_wanted = true;
  settle(intent, record, at(18));
  record.stopped_at = at(17);
  order_times(intent, record);
  auto report = report_of(intent, record);
  EXPECT_EQ(report.pull_started_at, at(10));
  EXPECT_EQ(report.pull_stopped_at, at(12));
  EXPECT_EQ(report.started_at, at(20));
  EXPECT_EQ(report.stopping_at, at(20));
  EXPECT_EQ(report.execution_stopped_at, at(20));
  EXPECT_EQ(report.stopped_at, at(20));
  EXPECT_EQ(report.containers[0].started_at, at(20));
  EXPECT_EQ(report.containers[0].finished_at, at(20));
}

TEST(Record, TimesInOrderStayAsTheyAre) {
  auto intent = intent_of(1);
  intent.assigned_at = at(1);
  auto record = new_record(intent);
  record.pull_started_at = at(2);
  record.pull_stopped_at = at(3);
  record.started_at = at(4);
  record.stopping_at = at(6);
  record.execution_stopped_at = at(5);
  record.stopped_at = at(7);
  auto before = render_record(record);
  order_times(intent, record);
  EXPECT_EQ(render_record(record), before);
  record.stopping_at = at(5);
  record.execution_stopped_at = at(6);
  before = render_record(record);
  order_times(intent, record);
  EXPECT_EQ(render_record(record), before) << "stopped on request: the wish comes first";
}

TEST(Record, TimesThatAreNotThereStayAway) {
  auto intent = intent_of(1);
  auto record = new_record(intent);
  record.stopped_at = at(1);
  order_times(intent, record);
  EXPECT_FALSE(record.pull_started_at);
  EXPECT_FALSE(record.execution_stopped_at);
  EXPECT_EQ(record.stopped_at, at(1));
}

TEST(Mounts, FindsThoseBelowInnermostFirst) {
  auto found = mounts_below(
      "1 0 0:1 / / rw - x x rw\n2 1 0:2 / /data/c rw - x x rw\n3 2 0:3 / /data/c/a\\040b rw - x x rw\n"
      "4 1 0:4 / /data/cc rw - x x rw\nshort line\n",
      "/data/c");
  EXPECT_THAT(found, testing::ElementsAre("/data/c/a b", "/data/c"));
}

TEST(AdoptContainer, TakesWhatItSees) {
  using runtime::ContainerState;
  runtime::Observation running{ContainerState::kRunning, 7, {}};
  runtime::Observation created{ContainerState::kCreated, 7, {}};
  runtime::Observation absent{ContainerState::kAbsent, 0, {}};
  runtime::Observation lost{ContainerState::kExited, 0, {}};
  runtime::Observation ended{ContainerState::kExited, 0, runtime::ExitStatus{3, false, at(5)}};
  runtime::Observation starved{ContainerState::kExited, 0, runtime::ExitStatus{137, true, at(5)}};

  ContainerFacts facts;
  facts.stage = Stage::kStarting;
  EXPECT_EQ(adopt_container(facts, running, true, at(9)), Adoption::kKeep);
  EXPECT_EQ(facts.stage, Stage::kRunning);
  EXPECT_EQ(facts.started_at, at(9));

  EXPECT_EQ(adopt_container(facts, ended, true, at(10)), Adoption::kKeep);
  EXPECT_EQ(facts.exit_code, 3);
  EXPECT_EQ(facts.finished_at, at(5)) << "when it ended, not when it was seen";

  for (const auto& seen : {created, absent, lost}) {
    ContainerFacts half;
    half.stage = Stage::kStarting;
    EXPECT_EQ(adopt_container(half, seen, true, at(9)), Adoption::kClear);
    EXPECT_EQ(half.stage, Stage::kWaiting) << "it begins anew";
  }
  for (const auto& seen : {created, absent, lost}) {
    ContainerFacts gone;
    gone.stage = Stage::kRunning;
    EXPECT_EQ(adopt_container(gone, seen, false, at(9)), Adoption::kClear);
    EXPECT_EQ(gone.stage, Stage::kStopped);
    EXPECT_FALSE(gone.exit_code);
    EXPECT_NE(gone.reason, "");
  }
  ContainerFacts hungry;
  hungry.stage = Stage::kRunning;
  adopt_container(hungry, starved, true, at(9));
  EXPECT_EQ(hungry.reason, "OutOfMemoryError: Container killed due to memory usage");
}

}  // namespace
}  // namespace sampan::node
