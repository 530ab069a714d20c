#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ecs/tests/world.h"

namespace sampan::ecs::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TasksTest : public testing::Test {
 protected:
  TasksTest() {
    world.create_cluster();
    world.register_web();
  }
  api::ecs::RunTaskOutput run(api::ecs::RunTaskRequest request) {
    return world.call(&EcsApi::RunTask, std::move(request));
  }
  std::string run_one() {
    auto arn = *run(world.run_request()).tasks->front().taskArn;
    return arn.substr(arn.rfind('/') + 1);
  }
  std::vector<std::string> list(api::ecs::ListTasksRequest request) {
    request.cluster = "c";
    return *world.call(&EcsApi::ListTasks, std::move(request)).taskArns;
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

TEST_F(TasksTest, WalkThroughTheirStatesAndTimes) {
  auto answer = run(world.run_request());
  ASSERT_THAT(*answer.tasks, SizeIs(1));
  const auto& task = answer.tasks->front();
  EXPECT_EQ(task.lastStatus, "PROVISIONING");
  EXPECT_EQ(task.desiredStatus, "RUNNING");
  EXPECT_EQ(task.group, "family:web");
  EXPECT_EQ(task.platformVersion, "1.4.0");
  EXPECT_EQ(task.launchType, "FARGATE");
  EXPECT_EQ(task.attachments->front().status, "PRECREATED");
  EXPECT_EQ(task.overrides->containerOverrides->front().name, "app");
  EXPECT_EQ(task.version, 1);
  auto id = task.taskArn->substr(task.taskArn->rfind('/') + 1);
  EXPECT_THAT(id, SizeIs(32));

  auto shown = world.describe(id);
  EXPECT_EQ(shown.lastStatus, "PENDING");
  EXPECT_EQ(shown.connectivity, "CONNECTED");
  EXPECT_FALSE(shown.startedAt);
  EXPECT_EQ(shown.attachments->front().status, "ATTACHED");

  world.clock.advance(1s);
  world.link.run(id);
  world.settle();
  shown = world.describe(id);
  EXPECT_EQ(shown.lastStatus, "RUNNING");
  EXPECT_EQ(shown.startedAt, world.clock.now());
  EXPECT_EQ(shown.containers->front().lastStatus, "RUNNING");
  EXPECT_EQ(shown.containers->front().networkInterfaces->front().privateIpv4Address,
            world.link.tasks.at(id).assignment.network.address);

  world.call(&EcsApi::StopTask, api::ecs::StopTaskInput{.cluster = "c", .task = id});
  shown = world.describe(id);
  EXPECT_EQ(shown.lastStatus, "STOPPED");
  EXPECT_EQ(shown.stopCode, "UserInitiated");
  EXPECT_EQ(shown.stoppedReason, "Task stopped by user");
  EXPECT_EQ(shown.containers->front().exitCode, 143);
  EXPECT_TRUE(shown.stoppingAt && shown.executionStoppedAt && shown.stoppedAt);
  EXPECT_GT(*shown.version, 3);
  EXPECT_THAT(world.link.forgotten, ElementsAre(id));
  EXPECT_THAT(world.interfaces.held, IsEmpty());
}

TEST_F(TasksTest, EndByThemselvesWithExitCodeAndReason) {
  auto id = run_one();
  world.link.run(id);
  world.link.die(id, 3);
  world.settle();
  auto shown = world.describe(id);
  EXPECT_EQ(shown.stopCode, "EssentialContainerExited");
  EXPECT_EQ(shown.stoppedReason, "Essential container in task exited");
  EXPECT_EQ(shown.containers->front().exitCode, 3);
  EXPECT_FALSE(shown.containers->front().reason);
}

TEST_F(TasksTest, FailToStartWithoutStartedAt) {
  auto id = run_one();
  world.link.fail(id, "CannotPullContainerError: not found");
  world.settle();
  auto shown = world.describe(id);
  EXPECT_EQ(shown.lastStatus, "STOPPED");
  EXPECT_EQ(shown.stopCode, "TaskFailedToStart");
  EXPECT_EQ(shown.stoppedReason, "CannotPullContainerError: not found");
  EXPECT_FALSE(shown.startedAt);
  EXPECT_FALSE(shown.containers->front().exitCode);
}

TEST_F(TasksTest, AreStoppedWhenTheNodeRefuses) {
  world.link.refuse = true;
  auto id = run_one();
  auto shown = world.describe(id);
  EXPECT_EQ(shown.stopCode, "TaskFailedToStart");
  EXPECT_EQ(shown.stoppedReason, "ResourceInitializationError: assigning: the node refuses");
  EXPECT_THAT(world.interfaces.held, IsEmpty());
}

TEST_F(TasksTest, AnOldReportNeverTakesATaskBack) {
  auto id = run_one();
  auto early = world.link.tasks.at(id).report;
  world.link.run(id);
  world.settle();
  auto before = *world.describe(id).version;
  world.link.tasks.at(id).report = early;  // the same sequence as long ago
  world.restart();
  EXPECT_EQ(world.describe(id).lastStatus, "RUNNING");
  EXPECT_EQ(*world.describe(id).version, before);
}

TEST_F(TasksTest, TakeOverridesByName) {
  auto request = world.run_request();
  request.overrides = api::ecs::TaskOverride{
      .containerOverrides = {
          {{.name = "app", .command = {{"run"}}, .environment = {{{.name = "A", .value = "2"}}}}}}};
  auto arn = *run(request).tasks->front().taskArn;
  const auto& container = world.link.tasks.at(arn.substr(arn.rfind('/') + 1)).assignment.containers.front();
  EXPECT_THAT(*container.command, ElementsAre("run"));
  EXPECT_THAT(container.environment, ElementsAre(std::pair<std::string, std::string>("A", "2")));

  request.overrides->containerOverrides->front().name = "other";
  EXPECT_EQ(fault_of([&] { run(request); }),
            "InvalidParameterException: Override for container named other is not a container in the "
            "TaskDefinition.");
}

TEST_F(TasksTest, FixTheImageThatTheRegistryKnows) {
  world.catalog.digests["web:1"] = "sha256:" + std::string(64, 'a');
  auto id = run_one();
  EXPECT_EQ(world.link.tasks.at(id).assignment.containers.front().image_digest,
            "sha256:" + std::string(64, 'a'));
}

TEST_F(TasksTest, RefuseBadRequestsWithAwsTexts) {
  using Spoil = std::function<void(api::ecs::RunTaskRequest&)>;
  const std::vector<std::pair<Spoil, std::string>> table = {
      {[](auto& r) { r.cluster = "none"; }, "ClusterNotFoundException: Cluster not found."},
      {[](auto& r) { r.taskDefinition = "none"; }, "ClientException: TaskDefinition not found."},
      {[](auto& r) { r.count = 11; }, "InvalidParameterException: count must be between 1 and 10."},
      {[](auto& r) { r.networkConfiguration.reset(); },
       "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is "
       "specified."},
      {[](auto& r) { r.networkConfiguration->awsvpcConfiguration->subnets.clear(); },
       "InvalidParameterException: subnets can not be empty."},
      {[](auto& r) { r.networkConfiguration->awsvpcConfiguration->subnets = {"subnet-x"}; },
       "InvalidParameterException: Error retrieving subnet information for [subnet-x]: The subnet ID "
       "'subnet-x' does "
       "not exist (ErrorCode: InvalidSubnetID.NotFound)"},
      {[](auto& r) { r.networkConfiguration->awsvpcConfiguration->securityGroups = {"sg-x"}; },
       "InvalidParameterException: Error retrieving security group information for [sg-x]: The security "
       "group 'sg-x' "
       "does not exist (ErrorCode: InvalidGroup.NotFound)"},
      {[](auto& r) { r.capacityProviderStrategy = {{.capacityProvider = "FARGATE", .weight = 1}}; },
       "InvalidParameterException: Specify either Launch Type or Capacity Provider Strategy, but not both."},
      {[](auto& r) { r.launchType = "EC2"; },
       "InvalidParameterException: No Container Instances were found in your cluster."},
      {[](auto& r) { r.platformVersion = "9.9"; },
       "PlatformUnknownException: The specified platform version does not exist."},
  };
  for (const auto& [spoil, text] : table) {
    auto request = world.run_request();
    spoil(request);
    EXPECT_EQ(fault_of([&] { run(request); }), text);
  }
  EXPECT_THAT(world.link.tasks, IsEmpty());
  EXPECT_EQ(fault_of([&] {
              world.call(&EcsApi::StopTask, api::ecs::StopTaskInput{.cluster = "c", .task = "none"});
            }),
            "InvalidParameterException: The referenced task was not found.");
}

TEST_F(TasksTest, DoNotIgnoreWhatCannotBeRun) {
  auto definition = world.web_definition("secret");
  definition.executionRoleArn = "arn:aws:iam::000000000000:role/x";
  definition.containerDefinitions.front().secrets = {{.name = "A", .valueFrom = "b"}};
  world.call(&EcsApi::RegisterTaskDefinition, definition);
  EXPECT_EQ(
      fault_of([&] { run(world.run_request("secret")); }),
      "ClientException: The task definition uses secrets in container 'app', which this Sampan cannot run.");
}

TEST_F(TasksTest, AnswerTheSameTokenWithTheSameTasks) {
  auto request = world.run_request();
  request.clientToken = "t";
  request.count = 2;
  auto first = run(request);
  auto second = run(request);
  EXPECT_EQ(first.tasks->front().taskArn, second.tasks->front().taskArn);
  EXPECT_THAT(world.link.tasks, SizeIs(2));
  request.count = 1;
  try {
    run(request);
    FAIL();
  } catch (const api::ecs::ConflictException& conflict) {
    EXPECT_EQ(conflict.members().at("resourceIds").as_array().size(), 2u);
  }
}

TEST_F(TasksTest, AreListedByEveryFilterAndInPages) {
  auto request = world.run_request();
  request.count = 3;
  request.startedBy = "me";
  run(request);
  auto stopped = run_one();
  world.call(&EcsApi::StopTask, api::ecs::StopTaskInput{.cluster = "c", .task = stopped});
  EXPECT_THAT(list({}), SizeIs(3));
  EXPECT_THAT(list({.desiredStatus = "STOPPED"}), SizeIs(1));
  EXPECT_THAT(list({.startedBy = "me"}), SizeIs(3));
  EXPECT_THAT(list({.startedBy = "you"}), IsEmpty());
  EXPECT_THAT(list({.family = "web"}), SizeIs(3));
  EXPECT_THAT(list({.launchType = "EC2"}), IsEmpty());
  std::set<std::string> seen;
  std::optional<std::string> token;
  int pages = 0;
  do {
    auto page = world.call(&EcsApi::ListTasks,
                           api::ecs::ListTasksInput{.cluster = "c", .nextToken = token, .maxResults = 2});
    seen.insert(page.taskArns->begin(), page.taskArns->end());
    token = page.nextToken;
    ++pages;
  } while (token);
  EXPECT_EQ(pages, 2);
  EXPECT_THAT(seen, SizeIs(3));
}

TEST_F(TasksTest, AreMissingWhenUnknownAndAfterAnHour) {
  auto id = run_one();
  world.link.die(id, 0);
  world.advance(59min);
  EXPECT_EQ(world.describe(id).lastStatus, "STOPPED");
  world.advance(2min);
  auto output =
      world.call(&EcsApi::DescribeTasks, api::ecs::DescribeTasksInput{.cluster = "c", .tasks = {id}});
  EXPECT_THAT(*output.tasks, IsEmpty());
  EXPECT_EQ(output.failures->front().reason, "MISSING");
}

TEST_F(TasksTest, FillInFailuresWhenNoAddressIsFree) {
  world.interfaces.full = true;
  auto answer = run(world.run_request());
  EXPECT_THAT(*answer.tasks, IsEmpty());
  EXPECT_EQ(answer.failures->front().reason, "RESOURCE:ENI");
}

TEST_F(TasksTest, SpreadOverSubnets) {
  auto request = world.run_request();
  request.count = 4;
  std::map<std::string, int> zones;
  auto answer = run(request);
  for (const auto& task : *answer.tasks) ++zones[*task.availabilityZone];
  EXPECT_THAT(zones, ElementsAre(std::pair<const std::string, int>("us-east-1a", 2),
                                 std::pair<const std::string, int>("us-east-1b", 2)));
}

TEST_F(TasksTest, OfLaunchTypeEc2UseThisMachineUntilItIsFull) {
  api::ecs::RegisterTaskDefinitionRequest definition{.family = "plain"};
  definition.containerDefinitions = {{.name = "app", .image = "web:1", .cpu = 1024, .memory = 1024}};
  world.call(&EcsApi::RegisterTaskDefinition, definition);
  api::ecs::RunTaskRequest request{.cluster = "default", .count = 3, .launchType = "EC2"};
  request.taskDefinition = "plain";
  auto answer = run(request);
  ASSERT_THAT(*answer.tasks, SizeIs(2));
  EXPECT_EQ(answer.failures->front().reason, "RESOURCE:CPU");
  EXPECT_TRUE(answer.tasks->front().containerInstanceArn);
  auto arns = world.call(&EcsApi::ListContainerInstances, {}).containerInstanceArns;
  auto shown = world.call(&EcsApi::DescribeContainerInstances,
                          api::ecs::DescribeContainerInstancesInput{.containerInstances = *arns});
  EXPECT_EQ(shown.containerInstances->front().pendingTasksCount, 2);
  EXPECT_EQ(shown.containerInstances->front().remainingResources->front().integerValue, 0);
}

TEST_F(TasksTest, AreAgreedUponAfterARestart) {
  auto running = run_one(), died = run_one(), unknown = run_one();
  world.link.run(running);
  world.settle();
  auto report = world.link.tasks.at(died).report;
  // While nobody listened: one died, one never reached the node, and the node has one that we do not know.
  world.api->stop();
  world.link.die(died, 1);
  world.link.tasks.erase(unknown);
  world.link.tasks["stray"] = {
      .report = {.task_id = "stray", .sequence = 1, .phase = node::TaskPhase::kRunning}};
  world.restart();
  EXPECT_EQ(world.describe(running).lastStatus, "RUNNING");
  EXPECT_EQ(world.describe(died).lastStatus, "STOPPED");
  EXPECT_TRUE(world.link.tasks.contains(unknown));
  EXPECT_THAT(world.link.stopped, ElementsAre("stray"));
  EXPECT_FALSE(world.link.tasks.contains("stray"));
}

TEST_F(TasksTest, HealthIsThatOfEssentialContainersWithAHealthCheck) {
  auto definition = world.web_definition("checked");
  definition.containerDefinitions.front().healthCheck =
      api::ecs::HealthCheck{.command = {"CMD-SHELL", "true"}};
  world.call(&EcsApi::RegisterTaskDefinition, definition);
  auto arn = *run(world.run_request("checked")).tasks->front().taskArn;
  auto id = arn.substr(arn.rfind('/') + 1);
  world.link.run(id);
  world.settle();
  EXPECT_EQ(world.describe(id).healthStatus, "UNKNOWN");
  for (auto [health, text] :
       {std::pair{node::Health::kHealthy, "HEALTHY"}, {node::Health::kUnhealthy, "UNHEALTHY"}}) {
    world.link.health(id, health);
    world.settle();
    EXPECT_EQ(world.describe(id).healthStatus, text);
  }
  EXPECT_EQ(world.describe(id).lastStatus, "RUNNING");
}

}  // namespace
}  // namespace sampan::ecs::test
