#include "elb/server_plan.h"

#include <gmock/gmock.h>

#include "elb/haproxy_admin.h"
#include "elb/target_judge.h"

namespace sampan::elb {
namespace {

using Duty = EdgeServer::Duty;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

EdgeModel with(std::vector<EdgeServer> servers) {
  Backend backend;
  backend.name = "tg_a";
  backend.servers = std::move(servers);
  return {{}, {backend}};
}

TEST(ServerPlan, NewTargetIsBroughtInDown) {
  const auto steps = plan_servers(with({{"s1", "10.0.0.4", 80, Duty::kProbing}}), {});
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(
      steps[0].commands,
      "add server tg_a/s1 10.0.0.4:80 check inter 30s downinter 300ms fall 2 rise 5 pool-max-conn -1 pool-purge-delay 3s;"
      "set server tg_a/s1 state drain;set server tg_a/s1 health down;set server tg_a/s1 state ready;"
      "enable health tg_a/s1");
}

TEST(ServerPlan, ServingTargetGetsItsTwin) {
  const auto steps =
      plan_servers(with({{"s1", "10.0.0.4", 80, Duty::kServing}}), {{"tg_a", {{"s1", ServerMode::kReady}}}});
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].commands,
            "add server tg_a/s1o 10.0.0.4:80 backup pool-max-conn -1 pool-purge-delay 3s;enable server tg_a/s1o");
}

TEST(ServerPlan, NothingToDoIsNoStep) {
  for (const auto duty : {Duty::kProbing, Duty::kServing, Duty::kFailing, Duty::kDraining}) {
    const auto model = with({{"s1", "10.0.0.4", 80, duty}});
    EXPECT_THAT(plan_servers(model, wanted_servers(model)), SizeIs(0));
  }
}

TEST(ServerPlan, DrainingKeepsTheServerAndDropsItsTwin) {
  const auto steps = plan_servers(with({{"s1", "10.0.0.4", 80, Duty::kDraining}}),
                                  {{"tg_a", {{"s1", ServerMode::kReady}, {"s1o", ServerMode::kReady}}}});
  ASSERT_THAT(steps, SizeIs(2));
  EXPECT_EQ(steps[0].commands, "set server tg_a/s1 state drain");
  EXPECT_EQ(steps[1].commands,
            "set server tg_a/s1o state maint;shutdown sessions server tg_a/s1o;del server tg_a/s1o");
}

TEST(ServerPlan, DrainingTargetThatNeverCameInIsNotAdded) {
  EXPECT_THAT(plan_servers(with({{"s1", "10.0.0.4", 80, Duty::kDraining}}), {}), SizeIs(0));
}

TEST(ServerPlan, RegisteredAgainWhileDrainingIsCheckedAnew) {
  const auto steps =
      plan_servers(with({{"s1", "10.0.0.4", 80, Duty::kProbing}}), {{"tg_a", {{"s1", ServerMode::kDrain}}}});
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_THAT(steps[0].commands, StartsWith("set server tg_a/s1 state drain;set server tg_a/s1 health down"));
}

TEST(ServerPlan, NewOnesComeBeforeOldOnesGo) {
  const auto steps =
      plan_servers(with({{"s2", "10.0.0.5", 80, Duty::kServing}}), {{"tg_a", {{"s1", ServerMode::kReady}}}});
  ASSERT_THAT(steps, SizeIs(3));
  EXPECT_EQ(steps.back().kind, ServerStep::Kind::kRemove);
}

TEST(AdminParse, StatIsReadByColumnNames) {
  const auto stats = parse_stat(
      "# svname,pxname,status,type,check_status,check_code,last_chk,extra\n"
      "FRONTEND,port_80,OPEN,0,,,,\n"
      "s1,tg_a,DOWN 1/5,2,* L7OK,200,\"OK, and \"\"more\"\"\",x\n"
      "s1o,tg_a,no check,2,,,\n\n");
  ASSERT_THAT(stats, SizeIs(2));
  EXPECT_EQ(stats[0].backend, "tg_a");
  EXPECT_FALSE(stats[0].is_up());
  EXPECT_TRUE(stats[0].last_check_passed());
  EXPECT_EQ(stats[0].check_code, 200);
  EXPECT_EQ(stats[0].last_check, "OK, and \"more\"");
  EXPECT_TRUE(stats[1].is_up());
  EXPECT_THAT(parse_stat("garbage\n,,,\n\"unterminated"), SizeIs(0));
}

ServerStat stat(std::string status, std::string check, int code = 0) {
  ServerStat made;
  made.status = std::move(status);
  made.check_status = std::move(check);
  made.check_code = code;
  return made;
}

TEST(Judge, TellsAwssStatesAndReasons) {
  const auto start = core::from_epoch_seconds(1'700'000'000);
  TargetView view;
  view.group_in_use = true;
  view.registered = start;
  view.grace = std::chrono::seconds(60);
  EXPECT_EQ(judge(view, start).reason, "Elb.RegistrationInProgress");
  view.stat = stat("DOWN", "L4CON");
  EXPECT_EQ(judge(view, start).state, "initial");
  EXPECT_EQ(judge(view, start).reason, "Elb.InitialHealthChecking");
  EXPECT_EQ(judge(view, start + std::chrono::seconds(60)).state, "unhealthy");
  EXPECT_EQ(judge(view, start + std::chrono::seconds(60)).reason, "Target.FailedHealthChecks");
  view.seen = Seen::kHealthy;
  view.stat = stat("DOWN", "L7STS", 502);
  EXPECT_EQ(judge(view, start).reason, "Target.ResponseCodeMismatch");
  EXPECT_EQ(judge(view, start).description, "Health checks failed with these codes: [502]");
  view.stat = stat("DOWN", "L7TOUT");
  EXPECT_EQ(judge(view, start).reason, "Target.Timeout");
  EXPECT_EQ(judge(view, start).description, "Request timed out");
  view.stat = stat("UP 1/2", "L7STS", 500);
  EXPECT_EQ(judge(view, start).state, "healthy");
  EXPECT_EQ(judge(view, start).reason, "");
  view.group_in_use = false;
  EXPECT_EQ(judge(view, start).reason, "Target.NotInUse");
  view.draining = true;
  EXPECT_EQ(judge(view, start).state, "draining");
}

}  // namespace
}  // namespace sampan::elb
