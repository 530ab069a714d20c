#include "ecs/tests/world.h"

namespace sampan::ecs::test {

World::World(std::uint64_t seed) : ids(seed) {
  store = store::make_memory_store(context.get_executor());
  link.now = [this] { return clock.now(); };
  targets.groups[std::string(kGroup)] = {
      .name = "web", .target_type = "ip", .vpc_id = "vpc-1", .has_load_balancer = true};
  options.machine = {.account = "000000000000",
                     .region = "us-east-1",
                     .cpu_units = 2048,
                     .memory_mib = 4096,
                     .host_name = "here"};
  options.report_delay = core::Millis(0);
  start();
}

World::~World() {
  context.stop();
}

void World::start() {
  Parts parts{*store, clock, ids, link, interfaces, targets, catalog, context.get_executor()};
  api = std::make_unique<EcsApi>(parts, options);
  boost::asio::co_spawn(context, api->start(), boost::asio::detached);
  settle();
}

void World::settle() {
  context.restart();
  while (context.poll() > 0) {
  }
}

void World::advance(core::Millis by) {
  clock.advance(by);
  api->kick();
  settle();
}

aws::Call World::caller() const {
  return {.request_id = "r",
          .service = "ecs",
          .account = "000000000000",
          .region = "us-east-1",
          .principal_arn = "arn:aws:iam::000000000000:root",
          .now = clock.now()};
}

void World::create_cluster(const std::string& name) {
  call(&EcsApi::CreateCluster, api::ecs::CreateClusterInput{.clusterName = name});
}

api::ecs::RegisterTaskDefinitionRequest World::web_definition(const std::string& family) const {
  api::ecs::RegisterTaskDefinitionRequest request{.family = family};
  request.networkMode = "awsvpc";
  request.requiresCompatibilities = {"FARGATE"};
  request.cpu = "256";
  request.memory = "512";
  api::ecs::ContainerDefinition container{.name = "app", .image = "web:1"};
  container.portMappings = {{.containerPort = 8080}};
  request.containerDefinitions = {container};
  return request;
}

std::string World::register_web(const std::string& family) {
  return *call(&EcsApi::RegisterTaskDefinition, web_definition(family)).taskDefinition->taskDefinitionArn;
}

api::ecs::RunTaskRequest World::run_request(const std::string& definition) const {
  api::ecs::RunTaskRequest request{.cluster = "c", .launchType = "FARGATE"};
  request.taskDefinition = definition;
  request.networkConfiguration = {.awsvpcConfiguration = api::ecs::AwsVpcConfiguration{
                                      .subnets = {"subnet-a", "subnet-b"}, .securityGroups = {{"sg-1"}}}};
  return request;
}

api::ecs::CreateServiceRequest World::service_request(int desired, bool balanced) const {
  api::ecs::CreateServiceRequest request{.cluster = "c", .serviceName = "s", .taskDefinition = "web"};
  request.desiredCount = desired;
  request.launchType = "FARGATE";
  request.networkConfiguration = run_request().networkConfiguration;
  if (balanced) {
    request.loadBalancers = {
        {.targetGroupArn = std::string(kGroup), .containerName = "app", .containerPort = 8080}};
  }
  return request;
}

api::ecs::Task World::describe(const std::string& task) {
  auto output = call(&EcsApi::DescribeTasks, api::ecs::DescribeTasksInput{.cluster = "c", .tasks = {task}});
  if (output.tasks->empty()) throw std::runtime_error("no such task: " + task);
  return output.tasks->front();
}

api::ecs::Service World::service(const std::string& name) {
  auto output =
      call(&EcsApi::DescribeServices, api::ecs::DescribeServicesInput{.cluster = "c", .services = {name}});
  if (output.services->empty()) throw std::runtime_error("no such service: " + name);
  return output.services->front();
}

std::vector<std::string> World::messages(const std::string& name) {
  auto shown = service(name);
  std::vector<std::string> texts;
  for (auto at = shown.events->rbegin(); at != shown.events->rend(); ++at) texts.push_back(*at->message);
  return texts;
}

elb::Target World::target(const std::string& task_id) const {
  return {std::string(kGroup), link.tasks.at(task_id).assignment.network.address, 8080};
}

void World::restart() {
  api->stop();
  settle();
  old_.push_back(std::move(api));
  start();
}

}  // namespace sampan::ecs::test
