// Scans by the clock of the test: what counts for a day, what rules mean, what rows become.
#include <gmock/gmock.h>

#include "ecr/scan_rules.h"
#include "ecr/tests/world.h"

namespace sampan::ecr {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ScanRules, TheStrongestThatAppliesCounts) {
  ScanRulesRow basic;
  EXPECT_EQ(plan_scans(basic, "a", false), ScanPlan());
  EXPECT_EQ(plan_scans(basic, "a", true).frequency, "SCAN_ON_PUSH");
  basic.rules = {{"SCAN_ON_PUSH", {"team/*"}}};
  EXPECT_FALSE(plan_scans(basic, "other", false).on_push());
  EXPECT_THAT(plan_scans(basic, "team/x", false).filters, ElementsAre("team/*"));
  const ScanRulesRow enhanced{true, {{"SCAN_ON_PUSH", {"*"}}, {"CONTINUOUS_SCAN", {"live*", "*-prod"}}}};
  EXPECT_EQ(plan_scans(enhanced, "a", true).frequency, "SCAN_ON_PUSH");
  EXPECT_TRUE(plan_scans(enhanced, "live-prod", false).continuous());
  EXPECT_THAT(plan_scans(enhanced, "live-prod", false).filters, ElementsAre("*", "live*", "*-prod"));
  // The repository's own setting is BASIC's.
  EXPECT_FALSE(plan_scans({true, {}}, "a", true).on_push());
}

TEST(ScanRules, AreChecked) {
  EXPECT_FALSE(check_scan_rules({true, {{"CONTINUOUS_SCAN", {"*"}}, {"SCAN_ON_PUSH", {"a"}}}}));
  EXPECT_TRUE(check_scan_rules({false, {{"CONTINUOUS_SCAN", {"*"}}}}));
  EXPECT_TRUE(check_scan_rules({true, {{"SCAN_ON_PUSH", {"*"}}, {"SCAN_ON_PUSH", {"a"}}}}));
}

TEST(ScanRows, AreReadAsTheyWereWritten) {
  ScanRow row;
  row.wanted = true;
  row.outcome = ScanRow::Outcome::kComplete;
  row.problem = "x";
  row.created_at = core::TimePoint(core::Millis(5));
  row.requested_at = core::TimePoint(core::Millis(7));
  row.completed_at = core::TimePoint(core::Millis(8));
  row.database = "sig";
  row.counts = {{"HIGH", 2}};
  EXPECT_EQ(store::RowCodec<ScanRow>::decode(store::RowCodec<ScanRow>::encode(row)), row);
  EXPECT_EQ(store::RowCodec<ScanRow>::decode(store::RowCodec<ScanRow>::encode({})), ScanRow());
  const ScanRulesRow rules{true, {{"MANUAL", {"a", "b*"}}}};
  EXPECT_EQ(store::RowCodec<ScanRulesRow>::decode(store::RowCodec<ScanRulesRow>::encode(rules)), rules);
}

struct ScansTest : testing::Test {
  World world;
  const RepositoryId id = World::id("app");

  image::Digest push(const std::string& tag, const std::string& more = {}) {
    const auto manifest = world.make_image("app", tag, more);
    EXPECT_EQ(world.put_manifest("app", tag, manifest).status, 201);
    return image::Digest::of(manifest);
  }
  Scans::Start start(const image::Digest& digest) { return world.wait(world.scans.start_scan(id, digest)); }
  std::optional<ScanRow> row(const image::Digest& digest) {
    return world.wait(io::on_control(world.executors, [&]() -> std::optional<ScanRow> {
      const auto* found = world.scans.find(id, digest);
      return found ? std::optional(*found) : std::nullopt;
    }));
  }
  std::string status(const image::Digest& digest) {
    return world.wait(io::on_control(
        world.executors, [&] { return world.scans.view(id, *world.scans.find(id, digest)).status; }));
  }
  void await_outcome(const image::Digest& digest) {
    for (int i = 0; i < 2000 && row(digest)->wanted; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_FALSE(row(digest)->wanted);
  }
  void begin() {
    world.wait(io::on_control(world.executors, [&] { world.scans.start(); }));
  }
};

TEST_F(ScansTest, APushIsEnlistedWhereTheRepositorySaysSo) {
  world.create("app");
  EXPECT_FALSE(row(push("quiet")));
  world.wait(world.repositories.update(id, [](RepositoryRow& row) { row.scan_on_push = true; }));
  const auto digest = push("scanned");
  ASSERT_TRUE(row(digest));
  EXPECT_TRUE(row(digest)->wanted);
  EXPECT_EQ(status(digest), "IN_PROGRESS");
  world.wait(world.repositories.remove_image(id, digest));
  EXPECT_FALSE(row(digest));
}

TEST_F(ScansTest, ByHandOnceADayUnlessItFailed) {
  world.create("app");
  const auto digest = push("a");
  EXPECT_EQ(start(digest), Scans::Start::kStarted);
  EXPECT_EQ(start(digest), Scans::Start::kTooSoon);  // it is under way
  begin();                                           // without a database: it fails and says why
  await_outcome(digest);
  EXPECT_EQ(row(digest)->outcome, ScanRow::Outcome::kNoDatabase);
  EXPECT_EQ(status(digest), "FAILED");
  EXPECT_EQ(start(digest), Scans::Start::kStarted);  // which counts for nothing
  EXPECT_EQ(start(image::Digest::of("absent")), Scans::Start::kNoImage);
  world.wait(world.scans.set_rules("000000000000", "us-east-1", {true, {}}));
  EXPECT_EQ(start(digest), Scans::Start::kContinuous);
}

TEST(ScansWithDatabase, CountForADayOnceComplete) {
  io::TemporaryDirectory osv;
  io::replace_file(osv.path() / "a.json",
                   R"({"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1"]}]})",
                   io::Durability::kProcessCrash);
  World world(false, osv.path().string());
  world.create("app");
  const auto id = World::id("app");
  const auto manifest = world.make_image("app", "");  // an empty layer: no system, no packages
  ASSERT_EQ(world.put_manifest("app", "1", manifest).status, 201);
  const auto digest = image::Digest::of(manifest);
  world.wait(io::on_control(world.executors, [&] { world.scans.start(); }));
  EXPECT_EQ(world.wait(world.scans.start_scan(id, digest)), Scans::Start::kStarted);
  const auto outcome = [&] {
    return world.wait(io::on_control(world.executors, [&] {
      const auto* row = world.scans.find(id, digest);
      return row->wanted ? ScanRow::Outcome::kNone : row->outcome;
    }));
  };
  for (int i = 0; i < 4000 && outcome() == ScanRow::Outcome::kNone; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(outcome(), ScanRow::Outcome::kUnsupported);
  EXPECT_EQ(world.wait(world.scans.start_scan(id, digest)), Scans::Start::kTooSoon);
  world.clock.advance(std::chrono::hours(24));
  EXPECT_EQ(world.wait(world.scans.start_scan(id, digest)), Scans::Start::kStarted);
}

TEST_F(ScansTest, IndexesAndArtifactsAreNotScanned) {
  world.create("app");
  world.wait(world.repositories.update(id, [](RepositoryRow& row) { row.scan_on_push = true; }));
  const auto child = push("a");
  EXPECT_TRUE(row(child));
  const auto artifact = push("b", R"(,"artifactType":"application/vnd.example+json")");
  EXPECT_FALSE(row(artifact));
}

}  // namespace
}  // namespace sampan::ecr
