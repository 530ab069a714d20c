#include "ecs/definition_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "ecs/sizes.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerDefinition;
using api::ecs::RegisterTaskDefinitionRequest;
using testing::ElementsAre;

RegisterTaskDefinitionRequest fargate() {
  RegisterTaskDefinitionRequest request{.family = "web"};
  request.networkMode = "awsvpc";
  request.requiresCompatibilities = {"FARGATE"};
  request.cpu = "256";
  request.memory = "512";
  request.containerDefinitions = {{.name = "app", .image = "web:1"}};
  return request;
}

RegisterTaskDefinitionRequest ec2() {
  RegisterTaskDefinitionRequest request{.family = "web"};
  request.containerDefinitions = {{.name = "app", .image = "web:1", .memory = 128}};
  return request;
}

struct Bad {
  const char* what;
  std::function<void(RegisterTaskDefinitionRequest&)> spoil;
  std::string text;
  bool on_ec2 = false;
};

ContainerDefinition& first(RegisterTaskDefinitionRequest& request) {
  return request.containerDefinitions.front();
}

const std::vector<Bad>& bad_inputs() {
  static const std::vector<Bad> kAll = {
      {"no family", [](auto& r) { r.family = ""; }, "Family should not be null or empty."},
      {"no containers", [](auto& r) { r.containerDefinitions.clear(); }, "Container list cannot be empty."},
      {"no name", [](auto& r) { first(r).name.reset(); }, "Container.name should not be null or empty."},
      {"no image", [](auto& r) { first(r).image = ""; }, "Container.image should not be null or empty."},
      {"same name", [](auto& r) { r.containerDefinitions.push_back(first(r)); },
       "Container.name must be unique within a task definition: 'app'."},
      {"no essential", [](auto& r) { first(r).essential = false; },
       "At least one container must be essential."},
      {"no memory", [](auto& r) { first(r).memory.reset(); },
       "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be "
       "specified.",
       true},
      {"port 0", [](auto& r) { first(r).portMappings = {{.containerPort = 0}}; },
       "Invalid 'containerPort' setting for container 'app'."},
      {"port 65536", [](auto& r) { first(r).portMappings = {{.containerPort = 65536}}; },
       "Invalid 'containerPort' setting for container 'app'."},
      {"host port differs", [](auto& r) { first(r).portMappings = {{.containerPort = 80, .hostPort = 81}}; },
       "When networkMode=awsvpc, the host ports and container ports in port mappings must match."},
      {"links", [](auto& r) { first(r).links = {"db"}; }, "Links are not supported when networkMode=awsvpc."},
      {"bridge", [](auto& r) { r.networkMode = "bridge"; }, "Fargate only supports network mode ‘awsvpc’."},
      {"no mode", [](auto& r) { r.networkMode.reset(); }, "Fargate only supports network mode ‘awsvpc’."},
      {"no cpu", [](auto& r) { r.cpu.reset(); }, "Fargate requires that 'cpu' be defined at the task level."},
      {"no task memory",
       [](auto& r) {
         r.memory.reset();
         first(r).memory = 128;
       },
       "Fargate requires that 'memory' be defined at the task level."},
      {"no such pair", [](auto& r) { r.memory = "3072"; },
       "No Fargate configuration exists for given values."},
      {"bad cpu", [](auto& r) { r.cpu = "much"; },
       "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon "
       "ECS "
       "Developer Guide."},
      {"ecr without role", [](auto& r) { first(r).image = "1.dkr.ecr.us-east-1.amazonaws.com/a:1"; },
       "Fargate requires task definition to have execution role ARN to support ECR images."},
      {"awslogs without role",
       [](auto& r) {
         first(r).logConfiguration = api::ecs::LogConfiguration{
             .logDriver = "awslogs", .options = {{{"awslogs-group", "g"}, {"awslogs-region", "r"}}}};
       },
       "Fargate requires task definition to have execution role ARN to support log driver awslogs."},
      {"awslogs options",
       [](auto& r) { first(r).logConfiguration = api::ecs::LogConfiguration{.logDriver = "awslogs"}; },
       "Log driver awslogs requires options: awslogs-region, awslogs-group"},
      {"secrets", [](auto& r) { first(r).secrets = {{.name = "A", .valueFrom = "b"}}; },
       "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."},
      {"depends on essential",
       [](auto& r) {
         r.containerDefinitions.push_back({.name = "b", .image = "b"});
         first(r).dependsOn = {{.containerName = "b", .condition = "SUCCESS"}};
       },
       "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"},
      {"circle",
       [](auto& r) {
         r.containerDefinitions.push_back({.name = "b", .image = "b"});
         first(r).dependsOn = {{.containerName = "b", .condition = "START"}};
         r.containerDefinitions[1].dependsOn = {{.containerName = "app", .condition = "START"}};
       },
       "Cycle detected in container dependencies at 'app'."},
      {"cpu sum", [](auto& r) { first(r).cpu = 257; },
       "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."},
      {"ipc", [](auto& r) { r.ipcMode = "host"; },
       "Tasks using the Fargate launch type do not support ipcMode."},
      {"pid", [](auto& r) { r.pidMode = "host"; },
       "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode "
       "is "
       "'task'."},
      {"storage 20", [](auto& r) { r.ephemeralStorage = api::ecs::EphemeralStorage{.sizeInGiB = 20}; },
       "EphemeralStorage size should be at least 21"},
      {"storage 201", [](auto& r) { r.ephemeralStorage = api::ecs::EphemeralStorage{.sizeInGiB = 201}; },
       "EphemeralStorage size should be at most 200"},
      {"unknown volume",
       [](auto& r) { first(r).mountPoints = {{.sourceVolume = "data", .containerPath = "/data"}}; },
       "Unknown volume 'data'."},
  };
  return kAll;
}

TEST(DefinitionRules, RefuseBadInputWithAwsTexts) {
  for (const auto& bad : bad_inputs()) {
    auto request = bad.on_ec2 ? ec2() : fargate();
    bad.spoil(request);
    try {
      checked_definition(request);
      ADD_FAILURE() << bad.what << " was taken";
    } catch (const api::ecs::ClientException& fault) {
      EXPECT_EQ(fault.what(), bad.text) << bad.what;
    }
  }
}

TEST(DefinitionRules, TakeElevenContainersForTooMany) {
  auto request = fargate();
  request.containerDefinitions.clear();
  for (int i = 0; i < 10; ++i)
    request.containerDefinitions.push_back({.name = "c" + std::to_string(i), .image = "i"});
  EXPECT_NO_THROW(checked_definition(request));
  request.containerDefinitions.push_back({.name = "c10", .image = "i"});
  EXPECT_THROW(checked_definition(request), api::ecs::ClientException);
}

TEST(DefinitionRules, FillInDefaultsAsAwsShowsThem) {
  auto request = fargate();
  first(request).portMappings = {{.containerPort = 8080}};
  auto definition = checked_definition(request);
  const auto& container = definition.containerDefinitions->front();
  EXPECT_EQ(container.cpu, 0);
  EXPECT_EQ(container.essential, true);
  EXPECT_TRUE(container.environment && container.environment->empty());
  EXPECT_TRUE(container.mountPoints && container.volumesFrom && container.systemControls);
  EXPECT_EQ(container.portMappings->front().protocol, "tcp");
  EXPECT_EQ(container.portMappings->front().hostPort, 8080);
  EXPECT_TRUE(definition.volumes && definition.placementConstraints);
  EXPECT_THAT(*definition.compatibilities, ElementsAre("EC2", "FARGATE"));
}

TEST(DefinitionRules, ListEveryTypeThatValidates) {
  EXPECT_THAT(*checked_definition(ec2()).compatibilities, ElementsAre("EC2"));
  auto request = fargate();
  request.requiresCompatibilities.reset();
  EXPECT_THAT(*checked_definition(request).compatibilities, ElementsAre("EC2", "FARGATE"));
}

TEST(DefinitionRules, StoreUnitsAsNumbers) {
  auto request = fargate();
  request.cpu = "1 vCPU";
  request.memory = "2 GB";
  auto definition = checked_definition(request);
  EXPECT_EQ(definition.cpu, "1024");
  EXPECT_EQ(definition.memory, "2048");
}

TEST(Sizes, ParseUnits) {
  EXPECT_EQ(parse_cpu(".25 vcpu"), 256);
  EXPECT_EQ(parse_cpu("256"), 256);
  EXPECT_EQ(parse_memory("0.5GB"), 512);
  EXPECT_EQ(parse_memory("1 gb"), 1024);
  for (const char* bad : {"", "vcpu", "-1", "1e3 vcpu", "1 GHz", "0.0001 vcpu", "99999999999999"}) {
    EXPECT_FALSE(parse_cpu(bad)) << bad;
  }
}

TEST(Sizes, FargateHasSeventyFourPairs) {
  int pairs = 0;
  for (int cpu = 128; cpu <= 32768; cpu += 128) {
    for (int memory = 512; memory <= 131072; memory += 512) pairs += is_fargate_size(cpu, memory);
  }
  EXPECT_EQ(pairs, 74);
}

TEST(Tags, AreLimited) {
  std::vector<api::ecs::Tag> tags;
  for (int i = 0; i < 50; ++i) tags.push_back({.key = "k" + std::to_string(i), .value = "v"});
  EXPECT_NO_THROW(check_tags(tags));
  tags.push_back({.key = "one more"});
  EXPECT_THROW(check_tags(tags), api::ecs::InvalidParameterException);
  EXPECT_THROW(check_tags({{{.key = "aws:x"}}}), api::ecs::InvalidParameterException);
  EXPECT_THROW(check_tags({{{.key = "a"}, {.key = "a"}}}), api::ecs::InvalidParameterException);
}

}  // namespace
}  // namespace sampan::ecs
