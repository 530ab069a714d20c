#include "cli/deploy_plan.h"

#include <gtest/gtest.h>

#include "aws/json_codec.h"

namespace sampan::cli {
namespace {

ServiceWish wish() {
  ServiceWish wish;
  wish.app = "shop";
  wish.region = "us-east-1";
  wish.image = "localhost:4566/shop-web@sha256:0";
  wish.service.name = "web";
  wish.service.ports = {{8081, 8080}};
  wish.service.environment = {{"A", "b"}};
  return wish;
}

// What DescribeTaskDefinition gives back of it: defaults filled in (AWS-SEMANTICS D04).
api::ecs::TaskDefinition registered(const api::ecs::RegisterTaskDefinitionRequest& request) {
  api::ecs::TaskDefinition definition;
  definition.cpu = request.cpu;
  definition.memory = request.memory;
  auto containers = request.containerDefinitions;
  for (auto& container : containers) {
    container.cpu = 0;
    container.mountPoints = std::vector<api::ecs::MountPoint>{};
    container.volumesFrom = std::vector<api::ecs::VolumeFrom>{};
    container.systemControls = std::vector<api::ecs::SystemControl>{};
    for (auto& port : *container.portMappings) port.hostPort = port.containerPort;
  }
  definition.containerDefinitions = containers;
  return definition;
}

TEST(DeployPlan, SaysFargateWithLogsAndPorts) {
  auto request = task_definition(wish());
  EXPECT_EQ(request.family, "shop-web");
  EXPECT_EQ(request.cpu, "256");
  EXPECT_EQ(request.memory, "512");
  EXPECT_EQ(request.networkMode, "awsvpc");
  const auto& container = request.containerDefinitions.at(0);
  EXPECT_EQ(container.portMappings->at(0).containerPort, 8080);
  EXPECT_EQ(container.logConfiguration->options->at("awslogs-group"), "/sampan/shop");
}

TEST(DeployPlan, AnUnchangedServiceDoesNotDiffer) {
  auto request = task_definition(wish());
  EXPECT_FALSE(differs(request, registered(request)));
}

TEST(DeployPlan, EveryChangeOfWhatRunsDiffers) {
  auto current = registered(task_definition(wish()));
  auto changed = [&](auto change) {
    auto other = wish();
    change(other);
    return differs(task_definition(other), current);
  };
  EXPECT_TRUE(changed([](ServiceWish& w) { w.image = "localhost:4566/shop-web@sha256:1"; }));
  EXPECT_TRUE(changed([](ServiceWish& w) { w.service.environment = {{"A", "c"}}; }));
  EXPECT_TRUE(changed([](ServiceWish& w) { w.service.ports = {{80, 9090}}; }));
  EXPECT_TRUE(changed([](ServiceWish& w) { w.service.memory_mib = 1024; }));
  EXPECT_TRUE(changed([](ServiceWish& w) { w.service.command = {"x"}; }));
  EXPECT_FALSE(changed([](ServiceWish& w) { w.service.replicas = 9; }));
}

TEST(DeployPlan, NamesFitAwsLimits) {
  auto one = wish();
  one.single = true;
  EXPECT_EQ(names_of(one).family, "shop");
  auto longer = wish();
  longer.app = "a-name-of-twenty-four-ch";
  longer.service.name = "another-of-twenty-four-c";
  EXPECT_LE(names_of(longer).family.size(), 32u);
  EXPECT_NE(names_of(longer).family.back(), '-');
}

TEST(DeployPlan, UrlsNameThePortUnlessItIsTheUsualOne) {
  EXPECT_EQ(public_url("shop-1.us-east-1.elb.localhost", 80), "http://shop-1.us-east-1.elb.localhost/");
  EXPECT_EQ(public_url("shop-1.us-east-1.elb.localhost", 8081), "http://shop-1.us-east-1.elb.localhost:8081/");
}

}  // namespace
}  // namespace sampan::cli
