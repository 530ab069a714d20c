// sampan deploy DIR | compose.yaml: build, register, cluster, load balancer, service; also the update command.
#include <fmt/core.h>

#include <filesystem>
#include <thread>

#include "api/ec2.h"
#include "api/elbv2.h"
#include "cli/build_client.h"
#include "cli/commands.h"
#include "cli/deploy_plan.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/text.h"
#include "io/file.h"

extern char** environ;

namespace sampan::cli {
namespace {

namespace ec2 = api::ec2;
namespace ecs = api::ecs;
namespace elb = api::elbv2;

struct DeployFlags {
  std::string path;
  std::string name;
  std::string cluster = "default";
  std::string health_path;
  std::vector<std::string> environment;
  std::optional<int> count;
  int container_port = 0;
  int port = 80;
  double cpus = 0;
  int memory_mib = 0;
  int timeout_seconds = 600;
  int drain_seconds = 15;
  bool no_cache = false;
};

std::map<std::string, std::string> caller_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string line = *entry;
    auto equals = line.find('=');
    if (equals != std::string::npos) out[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return out;
}

// "My App_2" -> "my-app-2"
std::string as_name(const std::string& text) {
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c)) out += static_cast<char>(std::tolower(c));
    else if (!out.empty() && out.back() != '-') out += '-';
  }
  if (out.size() > 24) out.resize(24);
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "app" : out;
}

Compose read_wishes(const DeployFlags& flags) {
  std::filesystem::path path = std::filesystem::absolute(flags.path).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (!std::filesystem::exists(path)) throw UsageError("there is no " + flags.path);
  if (std::filesystem::is_directory(path)) {
    for (const char* name : {"compose.yaml", "compose.yml", "docker-compose.yml"}) {
      if (!std::filesystem::exists(path / "Dockerfile") && std::filesystem::exists(path / name)) {
        path /= name;
        break;
      }
    }
  }
  if (!std::filesystem::is_directory(path)) {
    auto name = flags.name.empty() ? as_name(path.parent_path().filename().string()) : flags.name;
    try {
      auto compose = parse_compose(io::read_file(path, 1024 * 1024), name, caller_environment());
      for (auto& service : compose.services) {
        if (service.build) service.build->context = (path.parent_path() / service.build->context).lexically_normal().string();
      }
      return compose;
    } catch (const ComposeError& error) {
      throw UsageError(path.string() + ": " + error.what());
    }
  }
  if (!std::filesystem::exists(path / "Dockerfile")) {
    throw UsageError(flags.path + " has no Dockerfile; name a folder with one, or a compose.yaml");
  }
  Compose compose;
  compose.name = flags.name.empty() ? as_name(path.filename().string()) : flags.name;
  ComposeService service;
  service.name = compose.name;
  service.build = ComposeBuild{.context = path.string()};
  compose.services.push_back(service);
  return compose;
}

// The parts of the road that all services of one deployment share.
struct Ground {
  std::string cluster;
  std::string vpc_id;
  std::vector<std::string> subnets;
  std::string security_group;
  std::string load_balancer_arn;
  std::string load_balancer_dns;
};

class Deployment {
 public:
  Deployment(Session& session, const DeployFlags& flags, Compose compose)
      : session_(session), flags_(flags), compose_(std::move(compose)), progress_(session.interactive()) {}

  void run() {
    for (const auto& path : compose_.ignored) progress_.line("note: " + path + " has no meaning here and is left out");
    prepare_ground();
    for (auto& service : compose_.services) deploy(service);
    for (const auto& url : urls_) fmt::print("{}\n", url);
  }

 private:
  void prepare_ground() {
    progress_.begin("Cluster " + flags_.cluster);
    ecs::CreateClusterRequest cluster;
    cluster.clusterName = flags_.cluster;
    session_.call<ecs::ops::CreateCluster>(cluster);
    ground_.cluster = flags_.cluster;
    ec2::DescribeSubnetsRequest subnets;
    ec2::Filter filter;
    filter.Name = "default-for-az";
    filter.Values = std::vector<std::string>{"true"};
    subnets.Filters = std::vector<ec2::Filter>{filter};
    auto found = session_.call<ec2::ops::DescribeSubnets>(subnets);
    if (!found.Subnets || found.Subnets->empty()) throw core::Error("the default VPC has no subnets: make one, or start with a fresh data dir");
    for (const auto& subnet : *found.Subnets) {
      ground_.subnets.push_back(subnet.SubnetId.value_or(""));
      ground_.vpc_id = subnet.VpcId.value_or("");
    }
    ensure_security_group();
    progress_.done();
  }

  void ensure_security_group() {
    auto name = "sampan-" + compose_.name;
    ec2::DescribeSecurityGroupsRequest ask;
    ec2::Filter by_name;
    by_name.Name = "group-name";
    by_name.Values = std::vector<std::string>{name};
    ask.Filters = std::vector<ec2::Filter>{by_name};
    auto known = session_.call<ec2::ops::DescribeSecurityGroups>(ask);
    if (known.SecurityGroups && !known.SecurityGroups->empty()) {
      ground_.security_group = known.SecurityGroups->front().GroupId.value_or("");
    } else {
      ec2::CreateSecurityGroupRequest make;
      make.GroupName = name;
      make.Description = std::string(kMadeByDeploy) + compose_.name;
      make.VpcId = ground_.vpc_id;
      auto made = session_.call<ec2::ops::CreateSecurityGroup>(make);
      ground_.security_group = made.GroupId.value_or("");
    }
    for (const auto& service : compose_.services) {
      for (const auto& port : service.ports) allow(port.container);
    }
  }

  void allow(int port) {
    ec2::AuthorizeSecurityGroupIngressRequest rule;
    rule.GroupId = ground_.security_group;
    ec2::IpRange anywhere;
    anywhere.CidrIp = "0.0.0.0/0";
    ec2::IpPermission permission;
    permission.IpProtocol = "tcp";
    permission.FromPort = port;
    permission.ToPort = port;
    permission.IpRanges = std::vector<ec2::IpRange>{anywhere};
    rule.IpPermissions = std::vector<ec2::IpPermission>{permission};
    try {
      session_.call<ec2::ops::AuthorizeSecurityGroupIngress>(rule);
    } catch (const aws::Fault& fault) {
      if (fault.code() != "InvalidPermission.Duplicate") throw;
    }
  }

  void deploy(ComposeService& service) {
    bool single = compose_.services.size() == 1;
    if (flags_.count) service.replicas = *flags_.count;
    if (flags_.cpus > 0) service.cpus = flags_.cpus;
    if (flags_.memory_mib > 0) service.memory_mib = flags_.memory_mib;
    if (!flags_.health_path.empty()) service.health_path = flags_.health_path;
    for (const auto& pair : flags_.environment) {
      auto equals = pair.find('=');
      if (equals == std::string::npos) throw UsageError("--env takes NAME=VALUE, not '" + pair + "'");
      service.environment.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    }
    ServiceWish wish{compose_.name, service, service.image, session_.region(), single};
    if (service.build) build(wish);
    choose_ports(wish);
    allow_all_ports(wish);
    auto revision = register_definition(wish);
    std::string group;
    if (!wish.service.ports.empty()) group = ensure_front(wish);
    run_service(wish, revision, group);
  }

  void build(ServiceWish& wish) {
    const auto& build = *wish.service.build;
    BuildOrder order;
    order.context = build.context;
    order.dockerfile = build.dockerfile;
    order.target = build.target;
    order.no_cache = flags_.no_cache;
    for (const auto& [name, value] : build.args) order.args.push_back(name + "=" + value);
    auto repository = names_of(wish).family;
    order.tags = {session_.registry_host() + "/" + repository + ":latest"};
    auto built = run_build(session_, order, progress_);
    // The image's own digest: a revision always says which bytes it runs, and a rollback gets them back.
    wish.image = session_.registry_host() + "/" + repository + "@" + built.digest;
    exposed_ = built.exposed_ports;
  }

  void choose_ports(ServiceWish& wish) {
    auto& ports = wish.service.ports;
    if (flags_.container_port > 0) ports = {{flags_.port, flags_.container_port}};
    if (ports.empty() && wish.single && !exposed_.empty()) ports = {{flags_.port, exposed_.front()}};
    if (!ports.empty() && wish.single && flags_.port != 80) ports.front().published = flags_.port;
  }

  void allow_all_ports(const ServiceWish& wish) {
    for (const auto& port : wish.service.ports) allow(port.container);
  }

  std::string register_definition(const ServiceWish& wish) {
    auto names = names_of(wish);
    auto wanted = task_definition(wish);
    progress_.begin("Task definition " + names.family);
    try {
      ecs::DescribeTaskDefinitionRequest ask;
      ask.taskDefinition = names.family;
      auto current = session_.call<ecs::ops::DescribeTaskDefinition>(ask);
      if (current.taskDefinition && !differs(wanted, *current.taskDefinition)) {
        auto arn = current.taskDefinition->taskDefinitionArn.value_or("");
        progress_.done("Task definition " + short_arn(arn) + " (unchanged)");
        return arn;
      }
    } catch (const aws::Fault& fault) {
      if (fault.code() != "ClientException") throw;
    }
    auto made = session_.call<ecs::ops::RegisterTaskDefinition>(wanted);
    auto arn = made.taskDefinition->taskDefinitionArn.value_or("");
    progress_.done("Task definition " + short_arn(arn));
    return arn;
  }

  void ensure_load_balancer() {
    if (!ground_.load_balancer_arn.empty()) return;
    elb::CreateLoadBalancerInput make;
    make.Name = compose_.name;
    make.Subnets = ground_.subnets;
    make.SecurityGroups = std::vector<std::string>{ground_.security_group};
    auto made = session_.call<elb::ops::CreateLoadBalancer>(make);
    const auto& balancer = made.LoadBalancers->front();
    ground_.load_balancer_arn = balancer.LoadBalancerArn.value_or("");
    ground_.load_balancer_dns = balancer.DNSName.value_or("");
  }

  // Load balancer, target group and listener; gives the target group's ARN.
  std::string ensure_front(const ServiceWish& wish) {
    auto names = names_of(wish);
    const auto& port = wish.service.ports.front();
    int listen = port.published > 0 ? port.published : flags_.port;
    progress_.begin(fmt::format("Load balancer {} on port {}", names.load_balancer, listen));
    ensure_load_balancer();
    auto group = ensure_target_group(wish, port.container);
    ensure_listener(group, listen);
    urls_.push_back(public_url(ground_.load_balancer_dns, listen));
    progress_.done();
    return group;
  }

  std::string ensure_target_group(const ServiceWish& wish, int container_port) {
    elb::CreateTargetGroupInput make;
    make.Name = names_of(wish).family;
    make.Protocol = "HTTP";
    make.Port = container_port;
    make.VpcId = ground_.vpc_id;
    make.TargetType = "ip";
    make.HealthCheckPath = wish.service.health_path.empty() ? "/" : wish.service.health_path;
    make.HealthCheckIntervalSeconds = 5;
    make.HealthCheckTimeoutSeconds = 4;
    std::string arn;
    try {
      auto made = session_.call<elb::ops::CreateTargetGroup>(make);
      arn = made.TargetGroups->front().TargetGroupArn.value_or("");
    } catch (const aws::Fault& fault) {
      if (fault.code() != "DuplicateTargetGroupName") throw;
      arn = change_target_group(make);
    }
    elb::ModifyTargetGroupAttributesInput attributes;
    attributes.TargetGroupArn = arn;
    elb::TargetGroupAttribute delay;
    delay.Key = "deregistration_delay.timeout_seconds";
    delay.Value = std::to_string(flags_.drain_seconds);
    attributes.Attributes = {delay};
    session_.call<elb::ops::ModifyTargetGroupAttributes>(attributes);
    return arn;
  }

  // The group is there with other settings: health checks can be changed, a port cannot.
  std::string change_target_group(const elb::CreateTargetGroupInput& wanted) {
    elb::DescribeTargetGroupsInput ask;
    ask.Names = std::vector<std::string>{wanted.Name};
    auto known = session_.call<elb::ops::DescribeTargetGroups>(ask);
    const auto& group = known.TargetGroups->front();
    if (group.Port != wanted.Port) {
      throw core::Error(fmt::format("target group {} forwards to port {} and cannot change to {}: run `sampan rm {}` and deploy again",
                                    wanted.Name, group.Port.value_or(0), wanted.Port.value_or(0), wanted.Name));
    }
    elb::ModifyTargetGroupInput change;
    change.TargetGroupArn = group.TargetGroupArn.value_or("");
    change.HealthCheckPath = wanted.HealthCheckPath;
    change.HealthCheckIntervalSeconds = wanted.HealthCheckIntervalSeconds;
    change.HealthCheckTimeoutSeconds = wanted.HealthCheckTimeoutSeconds;
    session_.call<elb::ops::ModifyTargetGroup>(change);
    return change.TargetGroupArn;
  }

  void ensure_listener(const std::string& group, int port) {
    elb::DescribeListenersInput ask;
    ask.LoadBalancerArn = ground_.load_balancer_arn;
    auto known = session_.call<elb::ops::DescribeListeners>(ask);
    elb::Action forward;
    forward.Type = "forward";
    forward.TargetGroupArn = group;
    for (const auto& listener : known.Listeners.value_or(std::vector<elb::Listener>{})) {
      if (listener.Port != port) continue;
      elb::ModifyListenerInput change;
      change.ListenerArn = listener.ListenerArn.value_or("");
      change.DefaultActions = std::vector<elb::Action>{forward};
      session_.call<elb::ops::ModifyListener>(change);
      return;
    }
    elb::CreateListenerInput make;
    make.LoadBalancerArn = ground_.load_balancer_arn;
    make.Protocol = "HTTP";
    make.Port = port;
    make.DefaultActions = {forward};
    session_.call<elb::ops::CreateListener>(make);
  }

  std::optional<ecs::Service> describe(const std::string& name) {
    ecs::DescribeServicesRequest ask;
    ask.cluster = ground_.cluster;
    ask.services = {name};
    auto answer = session_.call<ecs::ops::DescribeServices>(ask);
    if (!answer.services || answer.services->empty() || answer.services->front().status == "INACTIVE") return std::nullopt;
    return answer.services->front();
  }

  void run_service(const ServiceWish& wish, const std::string& revision, const std::string& group) {
    auto name = names_of(wish).family;
    progress_.begin("Service " + name);
    started_ = core::SystemClock().now();
    if (describe(name)) {
      ecs::UpdateServiceRequest change;
      change.cluster = ground_.cluster;
      change.service = name;
      change.taskDefinition = revision;
      change.desiredCount = wish.service.replicas;
      session_.call<ecs::ops::UpdateService>(change);
    } else {
      create_service(wish, name, revision, group);
    }
    wait_steady(name);
  }

  void create_service(const ServiceWish& wish, const std::string& name, const std::string& revision, const std::string& group) {
    ecs::CreateServiceRequest make;
    make.cluster = ground_.cluster;
    make.serviceName = name;
    make.taskDefinition = revision;
    make.desiredCount = wish.service.replicas;
    make.launchType = "FARGATE";
    ecs::AwsVpcConfiguration network;
    network.subnets = ground_.subnets;
    network.securityGroups = std::vector<std::string>{ground_.security_group};
    network.assignPublicIp = "ENABLED";
    ecs::NetworkConfiguration configuration;
    configuration.awsvpcConfiguration = network;
    make.networkConfiguration = configuration;
    ecs::DeploymentCircuitBreaker breaker;
    breaker.enable = true;
    breaker.rollback = true;
    ecs::DeploymentConfiguration deployment;
    deployment.deploymentCircuitBreaker = breaker;
    make.deploymentConfiguration = deployment;
    if (!group.empty()) {
      ecs::LoadBalancer balancer;
      balancer.targetGroupArn = group;
      balancer.containerName = wish.service.name;
      balancer.containerPort = wish.service.ports.front().container;
      make.loadBalancers = std::vector<ecs::LoadBalancer>{balancer};
    }
    session_.call<ecs::ops::CreateService>(make);
  }

  void wait_steady(const std::string& name) {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(flags_.timeout_seconds);
    std::set<std::string> seen;
    for (;;) {
      auto service = describe(name);
      if (!service) throw core::Error("service " + name + " is gone");
      show_events(*service, seen);
      const auto& deployments = service->deployments.value_or(std::vector<ecs::Deployment>{});
      int running = service->runningCount.value_or(0), desired = service->desiredCount.value_or(0);
      for (const auto& deployment : deployments) {
        if (deployment.rolloutState == "FAILED" && deployment.createdAt.value_or(started_) >= started_) {
          throw core::Error("the deployment of " + name + " failed: " + deployment.rolloutStateReason.value_or("") +
                            last_end(name) + " (sampan ps --all and sampan logs " + name + " tell more)");
        }
      }
      if (deployments.size() == 1 && running == desired && deployments.front().rolloutState.value_or("COMPLETED") == "COMPLETED") break;
      progress_.update(fmt::format("Service {}: {} of {} running", name, running, desired));
      if (std::chrono::steady_clock::now() > deadline) {
        throw core::Error(fmt::format("service {} was not steady within {} s; sampan events {} tells what it does", name, flags_.timeout_seconds, name));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
    }
    progress_.done("Service " + name + " is steady");
  }

  // How the task ended that stopped last: what a circuit breaker's own words leave out.
  std::string last_end(const std::string& name) {
    ecs::ListTasksRequest list;
    list.cluster = ground_.cluster;
    list.serviceName = name;
    list.desiredStatus = "STOPPED";
    ecs::DescribeTasksRequest ask;
    ask.cluster = ground_.cluster;
    ask.tasks = session_.call<ecs::ops::ListTasks>(list).taskArns.value_or(std::vector<std::string>{});
    if (ask.tasks.empty()) return "";
    if (ask.tasks.size() > 100) ask.tasks.resize(100);
    auto tasks = session_.call<ecs::ops::DescribeTasks>(ask).tasks.value_or(std::vector<ecs::Task>{});
    if (tasks.empty()) return "";
    auto last = std::max_element(tasks.begin(), tasks.end(), [](const auto& a, const auto& b) { return a.stoppingAt < b.stoppingAt; });
    return " The last one: " + ending_of(*last) + ".";
  }

  void show_events(const ecs::Service& service, std::set<std::string>& seen) {
    const auto& events = service.events.value_or(std::vector<ecs::ServiceEvent>{});
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      if (event->createdAt.value_or(started_) < started_ || !seen.insert(event->id.value_or("")).second) continue;
      progress_.line("    " + event->message.value_or(""));
    }
  }

  Session& session_;
  const DeployFlags& flags_;
  Compose compose_;
  Progress progress_;
  Ground ground_;
  std::vector<int> exposed_;
  std::vector<std::string> urls_;
  core::TimePoint started_;
};

}  // namespace

void add_deploy(CLI::App& app, Session& session) {
  auto flags = std::make_shared<DeployFlags>();
  auto* command = app.add_subcommand("deploy", "Build and run a folder with a Dockerfile, or a compose.yaml; run it again to update");
  command->add_option("PATH", flags->path, "Folder or compose file")->required();
  command->add_option("--name", flags->name, "Names the app (default: the folder)");
  command->add_option("--cluster", flags->cluster)->capture_default_str();
  command->add_option("--count", flags->count, "Tasks of each service")->check(CLI::Range(0, 5000));
  command->add_option("--container-port", flags->container_port, "Port in the container (default: EXPOSE)")->check(CLI::Range(1, 65535));
  command->add_option("--port", flags->port, "Port of the load balancer")->check(CLI::Range(1, 65535))->capture_default_str();
  command->add_option("--health-path", flags->health_path, "What the load balancer asks for (default: /)");
  command->add_option("--env,-e", flags->environment, "NAME=VALUE");
  command->add_option("--cpus", flags->cpus, "vCPU of each task");
  command->add_option("--memory", flags->memory_mib, "MiB of each task");
  command->add_option("--drain", flags->drain_seconds, "Seconds that an old task may finish its requests")->check(CLI::Range(0, 3600))->capture_default_str();
  command->add_option("--timeout", flags->timeout_seconds, "Seconds to wait until steady")->capture_default_str();
  command->add_flag("--no-cache", flags->no_cache, "Build every step anew");
  command->callback([flags, &session] { Deployment(session, *flags, read_wishes(*flags)).run(); });
}

}  // namespace sampan::cli
