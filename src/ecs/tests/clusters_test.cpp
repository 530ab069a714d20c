#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ecs/tests/world.h"

namespace sampan::ecs::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

template <class F>
std::string code_of(F call) {
  try {
    call();
  } catch (const aws::Fault& fault) {
    return fault.code() + ": " + fault.what();
  }
  return "no fault";
}

TEST(Clusters, AreCreatedOnceAndDescribed) {
  World world;
  world.create_cluster("one");
  world.create_cluster("one");
  auto output =
      world.call(&EcsApi::DescribeClusters,
                 api::ecs::DescribeClustersInput{.clusters = {{"one", "none"}}, .include = {{"SETTINGS"}}});
  ASSERT_THAT(*output.clusters, SizeIs(1));
  EXPECT_EQ(output.clusters->front().clusterArn, "arn:aws:ecs:us-east-1:000000000000:cluster/one");
  EXPECT_EQ(output.clusters->front().settings->front().name, "containerInsights");
  EXPECT_EQ(output.failures->front().reason, "MISSING");
  EXPECT_EQ(output.failures->front().arn, "arn:aws:ecs:us-east-1:000000000000:cluster/none");
}

TEST(Clusters, CountTheirTasksAndServices) {
  World world;
  world.create_cluster();
  world.register_web();
  world.link.run_at_once = true;
  world.call(&EcsApi::CreateService, world.service_request(2, false));
  auto output = world.call(&EcsApi::DescribeClusters,
                           api::ecs::DescribeClustersInput{.clusters = {{"c"}}, .include = {{"STATISTICS"}}});
  const auto& cluster = output.clusters->front();
  EXPECT_EQ(cluster.runningTasksCount, 2);
  EXPECT_EQ(cluster.activeServicesCount, 1);
  EXPECT_EQ(cluster.statistics->at(1).value, "2");
  api::ecs::DeleteClusterInput gone{.cluster = "c"};
  EXPECT_EQ(code_of([&] { world.call(&EcsApi::DeleteCluster, gone); }),
            "ClusterContainsServicesException: The Cluster cannot be deleted while Services are active.");
  world.call(&EcsApi::DeleteService,
             api::ecs::DeleteServiceInput{.cluster = "c", .service = "s", .force = true});
  EXPECT_EQ(world.call(&EcsApi::DeleteCluster, gone).cluster->status, "INACTIVE");
  EXPECT_EQ(code_of([&] { world.call(&EcsApi::RunTask, world.run_request()); }),
            "ClusterNotFoundException: Cluster not found.");
}

TEST(Clusters, DefaultHoldsThisMachine) {
  World world;
  auto output = world.call(&EcsApi::DescribeClusters, {});
  EXPECT_EQ(output.clusters->front().registeredContainerInstancesCount, 1);
  EXPECT_EQ(code_of([&] {
              world.call(&EcsApi::DeleteCluster, api::ecs::DeleteClusterInput{.cluster = "default"});
            }),
            "ClusterContainsContainerInstancesException: The Cluster cannot be deleted while Container "
            "Instances are "
            "active or draining.");
  world.restart();
  EXPECT_THAT(*world.call(&EcsApi::ListContainerInstances, {}).containerInstanceArns, SizeIs(1));
}

TEST(Clusters, SpreadTasksOverTheirCapacityProviders) {
  World world;
  world.create_cluster();
  world.register_web();
  world.call(&EcsApi::PutClusterCapacityProviders,
             api::ecs::PutClusterCapacityProvidersInput{
                 .cluster = "c",
                 .capacityProviders = {"FARGATE", "FARGATE_SPOT"},
                 .defaultCapacityProviderStrategy = {{.capacityProvider = "FARGATE", .weight = 1, .base = 1},
                                                     {.capacityProvider = "FARGATE_SPOT", .weight = 3}}});
  auto request = world.run_request();
  request.launchType.reset();
  request.count = 9;
  std::map<std::string, int> counts;
  auto answer = world.call(&EcsApi::RunTask, request);
  for (const auto& task : *answer.tasks) {
    EXPECT_EQ(task.launchType, "FARGATE");
    ++counts[*task.capacityProviderName];
  }
  EXPECT_EQ(counts["FARGATE"], 3);
  EXPECT_EQ(counts["FARGATE_SPOT"], 6);
}

TEST(TaskDefinitions, NumberRevisionsAndNeverUseOneAgain) {
  World world;
  EXPECT_EQ(world.register_web(), "arn:aws:ecs:us-east-1:000000000000:task-definition/web:1");
  world.register_web();
  world.call(&EcsApi::DeregisterTaskDefinition,
             api::ecs::DeregisterTaskDefinitionInput{.taskDefinition = "web:2"});
  auto newest = world.call(&EcsApi::DescribeTaskDefinition,
                           api::ecs::DescribeTaskDefinitionInput{.taskDefinition = "web"});
  EXPECT_EQ(newest.taskDefinition->revision, 1);
  auto deleted = world.call(&EcsApi::DeleteTaskDefinitions,
                            api::ecs::DeleteTaskDefinitionsInput{.taskDefinitions = {"web:2", "web:1"}});
  EXPECT_EQ(deleted.taskDefinitions->front().status, "DELETE_IN_PROGRESS");
  EXPECT_THAT(*deleted.failures, SizeIs(1));
  world.advance(std::chrono::minutes(1));
  EXPECT_EQ(code_of([&] {
              world.call(&EcsApi::DescribeTaskDefinition,
                         api::ecs::DescribeTaskDefinitionInput{.taskDefinition = "web:2"});
            }),
            "ClientException: Unable to describe task definition.");
  EXPECT_EQ(world.register_web(), "arn:aws:ecs:us-east-1:000000000000:task-definition/web:3");
  EXPECT_EQ(code_of([&] {
              world.call(&EcsApi::DeregisterTaskDefinition,
                         api::ecs::DeregisterTaskDefinitionInput{.taskDefinition = "web"});
            }),
            "ClientException: Revision is missing.");
}

TEST(TaskDefinitions, AreListedInPagesBothWays) {
  World world;
  for (int i = 0; i < 12; ++i) world.register_web();
  world.register_web("webby");
  for (const char* sort : {"ASC", "DESC"}) {
    std::vector<std::string> all;
    std::optional<std::string> token;
    do {
      api::ecs::ListTaskDefinitionsInput input{
          .familyPrefix = "web", .sort = sort, .nextToken = token, .maxResults = 5};
      auto page = world.call(&EcsApi::ListTaskDefinitions, input);
      all.insert(all.end(), page.taskDefinitionArns->begin(), page.taskDefinitionArns->end());
      token = page.nextToken;
    } while (token);
    ASSERT_THAT(all, SizeIs(12));
    auto last = std::string("arn:aws:ecs:us-east-1:000000000000:task-definition/web:12");
    EXPECT_EQ(sort == std::string("ASC") ? all.back() : all.front(), last);
  }
  auto families = world.call(&EcsApi::ListTaskDefinitionFamilies, {}).families;
  EXPECT_THAT(*families, ElementsAre("web", "webby"));
  EXPECT_EQ(code_of([&] {
              world.call(&EcsApi::ListTaskDefinitions, api::ecs::ListTaskDefinitionsInput{.maxResults = 101});
            }),
            "InvalidParameterException: maxResults must be between 1 and 100.");
}

TEST(Tags, AreKeptByResource) {
  World world;
  world.create_cluster();
  auto definition = world.register_web();
  for (std::string arn : {std::string("arn:aws:ecs:us-east-1:000000000000:cluster/c"), definition}) {
    world.call(
        &EcsApi::TagResource,
        api::ecs::TagResourceInput{.resourceArn = arn, .tags = {{.key = "a", .value = "1"}, {.key = "b"}}});
    world.call(&EcsApi::UntagResource, api::ecs::UntagResourceInput{.resourceArn = arn, .tagKeys = {"b"}});
    auto tags =
        world.call(&EcsApi::ListTagsForResource, api::ecs::ListTagsForResourceInput{.resourceArn = arn}).tags;
    ASSERT_THAT(*tags, SizeIs(1));
    EXPECT_EQ(tags->front().value, "1");
  }
  EXPECT_EQ(code_of([&] {
              world.call(&EcsApi::ListTagsForResource,
                         api::ecs::ListTagsForResourceInput{
                             .resourceArn = "arn:aws:ecs:us-east-1:000000000000:cluster/none"});
            }),
            "ClusterNotFoundException: Cluster not found.");
}

}  // namespace
}  // namespace sampan::ecs::test
