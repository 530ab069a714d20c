#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ecs/tests/world.h"

namespace sampan::ecs::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ServicesTest : public testing::Test {
 protected:
  ServicesTest() {
    world.create_cluster();
    world.register_web();
    world.link.run_at_once = true;
  }
  void create(int desired, bool balanced) {
    world.call(&EcsApi::CreateService, world.service_request(desired, balanced));
  }
  void update(api::ecs::UpdateServiceRequest request) {
    request.cluster = "c";
    request.service = "s";
    world.call(&EcsApi::UpdateService, std::move(request));
  }
  std::vector<std::string> live() {  // ids of tasks the node runs and was not told to stop
    std::vector<std::string> ids;
    for (const auto& [id, task] : world.link.tasks) {
      if (task.report.phase == node::TaskPhase::kRunning && !task.stop_asked) ids.push_back(id);
    }
    return ids;
  }
  void all_targets(const std::string& state) {
    for (const auto& [target, health] : std::map(world.targets.targets)) {
      if (health.state != "draining")
        world.targets.set(target, state, "Health checks failed with these codes: [503]");
    }
    world.settle();
  }
  template <class F>
  std::string fault_of(F call) {
    try {
      call();
    } catch (const aws::Fault& fault) {
      return fault.code() + ": " + fault.what();
    }
    return "no fault";
  }
  World world;
};

TEST_F(ServicesTest, StartTheirTasksAndBecomeSteadyWhenHealthy) {
  create(2, true);
  EXPECT_THAT(live(), SizeIs(2));
  EXPECT_THAT(world.targets.targets, SizeIs(2));
  auto shown = world.service();
  EXPECT_EQ(shown.runningCount, 2);
  EXPECT_EQ(shown.deployments->front().rolloutState, "IN_PROGRESS");
  all_targets("healthy");
  shown = world.service();
  EXPECT_EQ(shown.deployments->front().rolloutState, "COMPLETED");
  auto id = *shown.deployments->front().id;
  auto messages = world.messages();
  ASSERT_THAT(messages, SizeIs(testing::Ge(4u)));
  EXPECT_THAT(messages[0], HasSubstr("(service s) has started 2 tasks: (task "));
  EXPECT_THAT(messages, Contains("(service s) (deployment " + id + ") deployment completed."));
  EXPECT_EQ(messages.back(), "(service s) has reached a steady state.");
  auto task = world.describe(live().front());
  EXPECT_EQ(task.group, "service:s");
  EXPECT_EQ(task.startedBy, id);
}

TEST_F(ServicesTest, WithoutChecksAreHealthyAfterFortySeconds) {
  create(1, false);
  EXPECT_EQ(world.service().deployments->front().rolloutState, "IN_PROGRESS");
  world.advance(39s);
  EXPECT_EQ(world.service().deployments->front().rolloutState, "IN_PROGRESS");
  world.advance(1s);
  EXPECT_EQ(world.service().deployments->front().rolloutState, "COMPLETED");
}

TEST_F(ServicesTest, RollWithoutEverServingFromTooFewTasks) {
  create(2, true);
  all_targets("healthy");
  auto old = live();
  world.register_web();
  update({.taskDefinition = "web"});
  EXPECT_THAT(live(), SizeIs(4));
  EXPECT_THAT(world.link.stopped, IsEmpty());
  EXPECT_THAT(*world.service().deployments, SizeIs(2));
  all_targets("healthy");
  // The old ones are out of the group, drain, and have heard no signal yet.
  EXPECT_EQ(world.describe(old[0]).lastStatus, "DEACTIVATING");
  EXPECT_EQ(world.describe(old[0]).desiredStatus, "STOPPED");
  EXPECT_THAT(world.link.stopped, IsEmpty());
  EXPECT_THAT(world.messages(), Contains("(service s) has begun draining connections on 2 tasks."));
  EXPECT_EQ(world.service().deployments->front().rolloutState, "IN_PROGRESS");
  for (const auto& id : old) {
    world.targets.set(world.target(id), "unused");
    world.settle();
  }
  EXPECT_THAT(world.link.stopped, SizeIs(2));
  auto shown = world.service();
  EXPECT_THAT(*shown.deployments, SizeIs(1));
  EXPECT_EQ(shown.deployments->front().rolloutState, "COMPLETED");
  EXPECT_EQ(world.describe(old[0]).stoppedReason,
            "Scaling activity initiated by (deployment " + *shown.deployments->front().id + ")");
}

TEST_F(ServicesTest, GoOnRollingAfterARestartInTheMiddle) {
  create(2, true);
  all_targets("healthy");
  world.register_web();
  update({.taskDefinition = "web"});
  world.restart();
  all_targets("initial");  // the balancer has to learn again
  EXPECT_THAT(live(), SizeIs(4));
  EXPECT_THAT(world.link.stopped, IsEmpty());
  all_targets("healthy");
  world.restart();
  EXPECT_THAT(world.link.stopped, IsEmpty());
  for (const auto& [target, health] : std::map(world.targets.targets)) {
    if (health.state == "draining") world.targets.set(target, "unused");
  }
  world.settle();
  EXPECT_THAT(world.link.stopped, SizeIs(2));
  EXPECT_EQ(world.service().deployments->front().rolloutState, "COMPLETED");
}

TEST_F(ServicesTest, ReplaceTasksThatDie) {
  create(1, true);
  all_targets("healthy");
  auto first = live().front();
  world.link.die(first, 1);
  world.settle();
  ASSERT_THAT(live(), SizeIs(1));
  EXPECT_NE(live().front(), first);
  EXPECT_THAT(world.targets.targets, SizeIs(testing::Le(2u)));
}

TEST_F(ServicesTest, ReplaceTasksThatFailTheirTargetGroupsChecks) {
  create(1, true);
  all_targets("healthy");
  auto first = live().front();
  all_targets("unhealthy");
  EXPECT_THAT(live(), SizeIs(2));
  for (const auto& id : live()) {
    if (id != first) world.targets.set(world.target(id), "healthy");
  }
  world.settle();
  auto task = world.describe(first);
  EXPECT_EQ(task.stopCode, "ServiceSchedulerInitiated");
  EXPECT_EQ(task.stoppedReason,
            "Task failed ELB health checks in (target-group " + std::string(kGroup) + ")");
  EXPECT_THAT(
      world.messages(),
      Contains("(service s) (task " + first + ") (port 8080) is unhealthy in (target-group " +
               std::string(kGroup) + ") due to (reason Health checks failed with these codes: [503])."));
}

TEST_F(ServicesTest, LeaveYoungTasksAloneInTheGracePeriod) {
  auto request = world.service_request(1, true);
  request.healthCheckGracePeriodSeconds = 60;
  world.call(&EcsApi::CreateService, request);
  all_targets("unhealthy");
  world.advance(59s);
  EXPECT_THAT(world.link.stopped, IsEmpty());
  EXPECT_THAT(live(), SizeIs(1));
  world.advance(1s);
  EXPECT_THAT(world.targets.log, Contains(HasSubstr("remove")));
}

TEST_F(ServicesTest, SlowDownTasksThatKeepFailing) {
  world.link.run_at_once = false;
  create(1, false);
  int starts = 0;
  for (int second = 0; second < 60; ++second) {
    for (const auto& [id, task] : std::map(world.link.tasks)) {
      ++starts;
      world.link.fail(id, "CannotPullContainerError: no such image");
    }
    world.advance(1s);
  }
  EXPECT_GE(starts, 4);
  EXPECT_LE(starts, 7);
  EXPECT_THAT(world.messages(), Contains(HasSubstr("is unable to consistently start tasks successfully.")));
}

TEST_F(ServicesTest, RollBackByTheCircuitBreaker) {
  auto request = world.service_request(1, true);
  request.deploymentConfiguration = api::ecs::DeploymentConfiguration{
      .deploymentCircuitBreaker = api::ecs::DeploymentCircuitBreaker{.enable = true, .rollback = true}};
  world.call(&EcsApi::CreateService, request);
  all_targets("healthy");
  auto good = *world.service().deployments->front().id;
  auto kept = live();
  world.link.run_at_once = false;
  world.register_web();
  update({.taskDefinition = "web"});
  auto bad = *world.service().deployments->front().id;
  for (int second = 0; second < 10; ++second) {
    for (const auto& [id, task] : std::map(world.link.tasks)) {
      if (task.report.phase == node::TaskPhase::kPending) world.link.fail(id, "CannotPullContainerError");
    }
    world.advance(1s);
  }
  auto shown = world.service();
  EXPECT_EQ(shown.deployments->front().id, good);
  EXPECT_EQ(shown.deployments->front().rolloutState, "COMPLETED");
  EXPECT_EQ(live(), kept);
  EXPECT_THAT(world.messages(),
              testing::IsSupersetOf({
                  "(service s) (deployment " + bad + ") deployment failed: tasks failed to start.",
                  "(service s) rolling back to deployment " + good + ".",
              }));
  EXPECT_EQ(world.messages().back(), "(service s) has reached a steady state.");
  auto list = world.call(&EcsApi::ListServiceDeployments,
                         api::ecs::ListServiceDeploymentsInput{.service = "s", .cluster = "c"});
  ASSERT_THAT(*list.serviceDeployments, SizeIs(2));
  std::set<std::string> states;
  for (const auto& brief : *list.serviceDeployments) states.insert(*brief.status);
  EXPECT_THAT(states, ElementsAre("ROLLBACK_SUCCESSFUL", "SUCCESSFUL"));
}

TEST_F(ServicesTest, ScaleInDrainsBeforeTheSignal) {
  create(3, true);
  all_targets("healthy");
  update({.desiredCount = 1});
  EXPECT_THAT(world.link.stopped, IsEmpty());
  EXPECT_THAT(*world.service().deployments, SizeIs(1));
  world.targets.drain_at_once = true;
  for (const auto& [target, health] : std::map(world.targets.targets)) {
    if (health.state == "draining") world.targets.set(target, "unused");
  }
  world.settle();
  EXPECT_THAT(live(), SizeIs(1));
}

TEST_F(ServicesTest, WhatDoesNotTouchTasksStartsNoDeployment) {
  create(1, false);
  auto id = *world.service().deployments->front().id;
  update({.desiredCount = 2});
  update({.healthCheckGracePeriodSeconds = std::nullopt, .enableExecuteCommand = false});
  update({.taskDefinition = "web:1"});
  EXPECT_EQ(world.service().deployments->front().id, id);
  update({.forceNewDeployment = true});
  EXPECT_NE(world.service().deployments->front().id, id);
}

TEST_F(ServicesTest, KeepTheDigestOfTheirDeployment) {
  std::string first = "sha256:" + std::string(64, 'a'), second = "sha256:" + std::string(64, 'b');
  world.catalog.digests["web:1"] = first;
  create(1, false);
  world.catalog.digests["web:1"] = second;
  update({.desiredCount = 2});
  for (const auto& id : live()) {
    EXPECT_EQ(world.link.tasks.at(id).assignment.containers.front().image_digest, first);
  }
  update({.forceNewDeployment = true});
  int fresh = 0;
  for (const auto& [id, task] : world.link.tasks) {
    fresh += task.assignment.containers.front().image_digest == second;
  }
  EXPECT_EQ(fresh, 2);
}

TEST_F(ServicesTest, EndAsInactiveWhenDeleted) {
  create(2, false);
  api::ecs::DeleteServiceInput input{.cluster = "c", .service = "s"};
  EXPECT_EQ(fault_of([&] { world.call(&EcsApi::DeleteService, input); }),
            "InvalidParameterException: The service cannot be stopped while it is scaled above 0.");
  input.force = true;
  world.link.stop_at_once = false;
  EXPECT_EQ(world.call(&EcsApi::DeleteService, input).service->status, "DRAINING");
  EXPECT_EQ(fault_of([&] { create(2, false); }),
            "InvalidParameterException: Unable to Start a service that is still Draining.");
  EXPECT_EQ(world.service().status, "DRAINING");
  for (const auto& id : std::vector(world.link.stopped)) world.link.finish_stop(id);
  world.settle();
  EXPECT_EQ(world.service().status, "INACTIVE");
  EXPECT_THAT(*world.call(&EcsApi::ListServices, api::ecs::ListServicesInput{.cluster = "c"}).serviceArns,
              IsEmpty());
  create(1, false);
  EXPECT_EQ(world.service().status, "ACTIVE");
  EXPECT_THAT(world.messages(), SizeIs(1));
}

TEST_F(ServicesTest, AreCreatedOnce) {
  create(1, false);
  auto arn = world.service().serviceArn;
  EXPECT_EQ(world.call(&EcsApi::CreateService, world.service_request(1, false)).service->serviceArn, arn);
  EXPECT_THAT(live(), SizeIs(1));
  EXPECT_EQ(fault_of([&] { create(2, false); }),
            "InvalidParameterException: Creation of service was not idempotent.");
}

TEST_F(ServicesTest, RefuseBadRequestsWithAwsTexts) {
  using Spoil = std::function<void(api::ecs::CreateServiceRequest&)>;
  auto group = std::string(kGroup);
  world.targets.groups["tg-instance"] = {.target_type = "instance", .has_load_balancer = true};
  world.targets.groups["tg-alone"] = {.target_type = "ip", .has_load_balancer = false};
  const std::vector<std::pair<Spoil, std::string>> table = {
      {[](auto& r) { r.cluster = "none"; }, "ClusterNotFoundException: Cluster not found."},
      {[](auto& r) { r.taskDefinition = "none"; }, "ClientException: TaskDefinition not found."},
      {[](auto& r) {
         r.role = "x";
         r.loadBalancers.reset();
       },
       "InvalidParameterException: A role was passed, but no load balancers were present."},
      {[](auto& r) {
         r.healthCheckGracePeriodSeconds = 5;
         r.loadBalancers.reset();
       },
       "InvalidParameterException: Health check grace period is only valid for services configured to use "
       "load "
       "balancers"},
      {[](auto& r) { r.loadBalancers->front().targetGroupArn = "tg-instance"; },
       "InvalidParameterException: The provided target group tg-instance has target type instance, which is "
       "incompatible with the awsvpc network mode specified in the task definition."},
      {[](auto& r) { r.loadBalancers->front().targetGroupArn = "tg-alone"; },
       "InvalidParameterException: The target group with targetGroupArn tg-alone does not have an associated "
       "load "
       "balancer."},
      {[](auto& r) { r.loadBalancers->front().containerName = "other"; },
       "InvalidParameterException: The container other does not exist in the task definition."},
      {[](auto& r) { r.loadBalancers->front().containerPort = 81; },
       "InvalidParameterException: The container app did not have a container port 81 defined."},
      {[](auto& r) { r.desiredCount = -1; },
       "InvalidParameterException: Desired count must not be negative."},
      {[](auto& r) { r.networkConfiguration.reset(); },
       "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is "
       "specified."},
  };
  for (const auto& [spoil, text] : table) {
    auto request = world.service_request(1, true);
    spoil(request);
    EXPECT_EQ(fault_of([&] { world.call(&EcsApi::CreateService, request); }), text);
  }
  EXPECT_EQ(fault_of([&] { update({.desiredCount = 1}); }), "ServiceNotFoundException: Service not found.");
}

TEST_F(ServicesTest, TellWhyATaskCannotBePlacedAndTryAgain) {
  world.interfaces.full = true;
  create(1, false);
  EXPECT_THAT(world.messages(), ElementsAre(HasSubstr("was unable to place a task. Reason: ")));
  world.interfaces.full = false;
  world.advance(5s);
  EXPECT_THAT(live(), SizeIs(1));
}

TEST_F(ServicesTest, KeepAHundredEvents) {
  create(1, false);
  for (int i = 0; i < 120; ++i) update({.desiredCount = i % 2 + 1});
  auto shown = world.service();
  EXPECT_THAT(*shown.events, SizeIs(100));
}

}  // namespace
}  // namespace sampan::ecs::test
