// ps, logs, events, scale, stop, rm: what runs.
#include <boost/json.hpp>
#include <thread>

#include "api/ec2.h"
#include "api/ecs.h"
#include "api/elbv2.h"
#include "api/logs.h"
#include "cli/commands.h"
#include "cli/deploy_plan.h"
#include "cli/output.h"
#include "aws/json_codec.h"
#include "core/error.h"

namespace sampan::cli {
namespace {

namespace ec2 = api::ec2;
namespace ecs = api::ecs;
namespace elb = api::elbv2;
namespace logs = api::logs;
using namespace std::chrono_literals;

template <class T>
T or_empty(const std::optional<T>& value) {
  return value.value_or(T{});
}

std::vector<std::string> list_tasks(Session& session, const std::string& cluster, const std::string& service, const std::string& desired) {
  std::vector<std::string> arns;
  ecs::ListTasksRequest ask;
  ask.cluster = cluster;
  ask.desiredStatus = desired;
  if (!service.empty()) ask.serviceName = service;
  do {
    auto page = session.call<ecs::ops::ListTasks>(ask);
    for (auto& arn : or_empty(page.taskArns)) arns.push_back(arn);
    ask.nextToken = page.nextToken;
  } while (ask.nextToken);
  return arns;
}

std::vector<ecs::Task> describe_tasks(Session& session, const std::string& cluster, const std::vector<std::string>& arns) {
  std::vector<ecs::Task> tasks;
  for (std::size_t at = 0; at < arns.size(); at += 100) {
    ecs::DescribeTasksRequest ask;
    ask.cluster = cluster;
    ask.tasks.assign(arns.begin() + static_cast<std::ptrdiff_t>(at), arns.begin() + static_cast<std::ptrdiff_t>(std::min(at + 100, arns.size())));
    auto page = session.call<ecs::ops::DescribeTasks>(ask);
    for (auto& task : or_empty(page.tasks)) tasks.push_back(std::move(task));
  }
  return tasks;
}

std::vector<std::string> all_clusters(Session& session) {
  std::vector<std::string> names;
  ecs::ListClustersRequest ask;
  do {
    auto page = session.call<ecs::ops::ListClusters>(ask);
    for (const auto& arn : or_empty(page.clusterArns)) names.push_back(short_arn(arn));
    ask.nextToken = page.nextToken;
  } while (ask.nextToken);
  return names;
}

std::string address_of(const ecs::Task& task) {
  for (const auto& container : or_empty(task.containers)) {
    for (const auto& interface : or_empty(container.networkInterfaces)) {
      if (interface.privateIpv4Address) return *interface.privateIpv4Address;
    }
  }
  return "-";
}

void ps(Session& session, const std::string& only_cluster, bool all) {
  auto now = core::SystemClock().now();
  std::vector<std::vector<std::string>> rows;
  boost::json::array list;
  auto clusters = only_cluster.empty() ? all_clusters(session) : std::vector<std::string>{only_cluster};
  for (const auto& cluster : clusters) {
    auto arns = list_tasks(session, cluster, "", "RUNNING");
    if (all) {
      for (auto& arn : list_tasks(session, cluster, "", "STOPPED")) arns.push_back(arn);
    }
    for (const auto& task : describe_tasks(session, cluster, arns)) {
      if (session.json()) list.push_back(aws::to_json(task));
      rows.push_back({short_arn(or_empty(task.taskArn)).substr(0, 12), cluster, or_empty(task.group), short_arn(or_empty(task.taskDefinitionArn)),
                      or_empty(task.lastStatus), address_of(task), task.createdAt ? ago(*task.createdAt, now) : "", ending_of(task)});
    }
  }
  if (session.json()) fmt::print("{}\n", boost::json::serialize(list));
  else fmt::print("{}", render_table({"TASK", "CLUSTER", "GROUP", "DEFINITION", "STATUS", "ADDRESS", "CREATED", "NOTE"}, rows));
}

// A name that the user wrote: a service, or (the beginning of) a task's id.
struct Found {
  std::optional<ecs::Service> service;
  std::optional<ecs::Task> task;
  std::string cluster;
};

std::optional<ecs::Service> find_service(Session& session, const std::string& cluster, const std::string& name) {
  ecs::DescribeServicesRequest ask;
  ask.cluster = cluster;
  ask.services = {name};
  auto answer = session.call<ecs::ops::DescribeServices>(ask);
  for (auto& service : or_empty(answer.services)) {
    if (service.status != "INACTIVE") return service;
  }
  return std::nullopt;
}

std::optional<ecs::Task> find_task(Session& session, const std::string& cluster, const std::string& prefix) {
  std::vector<std::string> matching;
  for (const char* desired : {"RUNNING", "STOPPED"}) {
    for (const auto& arn : list_tasks(session, cluster, "", desired)) {
      if (short_arn(arn).starts_with(prefix)) matching.push_back(arn);
    }
  }
  if (matching.size() > 1) throw UsageError("several tasks begin with " + prefix + "; write more of the id");
  if (matching.empty()) return std::nullopt;
  return describe_tasks(session, cluster, matching).front();
}

Found find(Session& session, const std::string& cluster, const std::string& name) {
  auto clusters = cluster.empty() ? all_clusters(session) : std::vector<std::string>{cluster};
  for (const auto& each : clusters) {
    if (auto service = find_service(session, each, name)) return {service, std::nullopt, each};
  }
  for (const auto& each : clusters) {
    if (name.size() < 4) break;
    if (auto task = find_task(session, each, name)) return {std::nullopt, task, each};
  }
  throw core::Error("there is no service or task '" + name + "'" + (cluster.empty() ? "" : " in cluster " + cluster) + "; sampan ps lists them");
}

struct LogSource {
  std::string group;
  std::string stream_prefix;  // of one task, or of a service's container
};

std::vector<LogSource> log_sources(Session& session, const Found& found) {
  ecs::DescribeTaskDefinitionRequest ask;
  ask.taskDefinition = found.service ? or_empty(found.service->taskDefinition) : or_empty(found.task->taskDefinitionArn);
  auto definition = session.call<ecs::ops::DescribeTaskDefinition>(ask).taskDefinition;
  std::vector<LogSource> sources;
  for (const auto& container : or_empty(definition->containerDefinitions)) {
    if (!container.logConfiguration || container.logConfiguration->logDriver != "awslogs") continue;
    auto options = or_empty(container.logConfiguration->options);
    auto prefix = options["awslogs-stream-prefix"] + "/" + container.name.value_or("") + "/";
    if (found.task) prefix += short_arn(or_empty(found.task->taskArn));
    sources.push_back({options["awslogs-group"], prefix});
  }
  if (sources.empty()) throw core::Error("its task definition has no awslogs log driver");
  return sources;
}

struct LogFlags {
  std::string name, cluster;
  bool follow = false;
  int since_minutes = 60;
};

void show_logs(Session& session, const LogFlags& flags) {
  auto sources = log_sources(session, find(session, flags.cluster, flags.name));
  auto start = core::SystemClock().now().time_since_epoch() - std::chrono::minutes(flags.since_minutes);
  std::map<std::string, std::int64_t> from;
  std::set<std::string> seen;
  for (const auto& source : sources) from[source.group + source.stream_prefix] = std::chrono::duration_cast<std::chrono::milliseconds>(start).count();
  do {
    for (const auto& source : sources) {
      auto& since = from[source.group + source.stream_prefix];
      logs::FilterLogEventsRequest ask;
      ask.logGroupName = source.group;
      ask.logStreamNamePrefix = source.stream_prefix;
      ask.startTime = since;
      do {
        logs::FilterLogEventsOutput page;
        try {
          page = session.call<logs::ops::FilterLogEvents>(ask);
        } catch (const aws::Fault& fault) {
          if (fault.code() != "ResourceNotFoundException") throw;  // nothing was written yet
        }
        for (const auto& event : or_empty(page.events)) {
          if (!seen.insert(or_empty(event.eventId)).second) continue;
          since = std::max(since, event.timestamp.value_or(0));
          auto stream = or_empty(event.logStreamName);
          auto time = core::TimePoint(std::chrono::milliseconds(event.timestamp.value_or(0)));
          if (session.json()) fmt::print("{}\n", boost::json::serialize(aws::to_json(event)));
          else fmt::print("{} {} {}\n", core::to_iso8601(time), short_arn(stream).substr(0, 8), or_empty(event.message));
        }
        ask.nextToken = page.nextToken;
      } while (ask.nextToken);
    }
    if (flags.follow) std::this_thread::sleep_for(500ms);
  } while (flags.follow);
}

void show_events(Session& session, const std::string& name, const std::string& only_cluster, bool follow) {
  if (!name.empty() && !find(session, only_cluster, name).service) throw UsageError(name + " is a task; only services have events");
  std::set<std::string> seen;
  do {
    std::vector<ecs::ServiceEvent> events;
    for (const auto& cluster : only_cluster.empty() ? all_clusters(session) : std::vector<std::string>{only_cluster}) {
      std::vector<std::string> names;
      if (!name.empty()) {
        names = {name};
      } else {
        ecs::ListServicesRequest ask;
        ask.cluster = cluster;
        ask.maxResults = 100;
        do {
          auto page = session.call<ecs::ops::ListServices>(ask);
          for (const auto& arn : or_empty(page.serviceArns)) names.push_back(arn);
          ask.nextToken = page.nextToken;
        } while (ask.nextToken);
      }
      for (std::size_t at = 0; at < names.size(); at += 10) {
        ecs::DescribeServicesRequest ask;
        ask.cluster = cluster;
        ask.services.assign(names.begin() + static_cast<std::ptrdiff_t>(at), names.begin() + static_cast<std::ptrdiff_t>(std::min(at + 10, names.size())));
        for (const auto& service : or_empty(session.call<ecs::ops::DescribeServices>(ask).services)) {
          for (const auto& event : or_empty(service.events)) events.push_back(event);
        }
      }
    }
    std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.createdAt < b.createdAt; });
    for (const auto& event : events) {
      if (!seen.insert(or_empty(event.id)).second) continue;
      if (session.json()) fmt::print("{}\n", boost::json::serialize(aws::to_json(event)));
      else fmt::print("{} {}\n", core::to_iso8601(event.createdAt.value_or(core::TimePoint{})), or_empty(event.message));
    }
    if (follow) std::this_thread::sleep_for(1s);
  } while (follow);
}

void scale(Session& session, const std::string& name, int count, const std::string& cluster) {
  auto found = find(session, cluster, name);
  if (!found.service) throw UsageError(name + " is a task; only services are scaled");
  ecs::UpdateServiceRequest change;
  change.cluster = found.cluster;
  change.service = name;
  change.desiredCount = count;
  session.call<ecs::ops::UpdateService>(change);
  Progress progress(session.interactive());
  progress.begin(fmt::format("Service {}", name));
  for (auto deadline = std::chrono::steady_clock::now() + 600s; std::chrono::steady_clock::now() < deadline; std::this_thread::sleep_for(250ms)) {
    auto service = find_service(session, found.cluster, name);
    if (!service) throw core::Error("service " + name + " is gone");
    if (service->runningCount == count && service->pendingCount.value_or(0) == 0) {
      progress.done(fmt::format("Service {} runs {} tasks", name, count));
      return;
    }
    progress.update(fmt::format("Service {}: {} of {} running", name, service->runningCount.value_or(0), count));
  }
  throw core::Error("service " + name + " did not reach " + std::to_string(count) + " tasks within 600 s; sampan events " + name + " tells what it does");
}

void stop(Session& session, const std::string& name, const std::string& cluster) {
  auto found = find(session, cluster, name);
  if (found.service) {
    scale(session, name, 0, found.cluster);
    return;
  }
  ecs::StopTaskRequest ask;
  ask.cluster = found.cluster;
  ask.task = or_empty(found.task->taskArn);
  session.call<ecs::ops::StopTask>(ask);
  Progress progress(session.interactive());
  progress.begin("Stopping task " + short_arn(ask.task));
  for (auto deadline = std::chrono::steady_clock::now() + 180s; std::chrono::steady_clock::now() < deadline; std::this_thread::sleep_for(100ms)) {
    auto tasks = describe_tasks(session, found.cluster, {ask.task});
    if (tasks.empty() || tasks.front().lastStatus == "STOPPED") {
      progress.done();
      return;
    }
  }
  throw core::Error("task " + short_arn(ask.task) + " did not stop within 180 s");
}

// The service, then its target groups with the rules and listeners that send to them, and a load balancer nothing is left on.
class Removal {
 public:
  Removal(Session& session, std::string cluster, ecs::Service service)
      : session_(session), cluster_(std::move(cluster)), service_(std::move(service)), progress_(session.interactive()) {}

  void run() {
    auto name = or_empty(service_.serviceName);
    progress_.begin("Service " + name);
    ecs::DeleteServiceRequest gone;
    gone.cluster = cluster_;
    gone.service = name;
    gone.force = true;
    session_.call<ecs::ops::DeleteService>(gone);
    for (auto deadline = std::chrono::steady_clock::now() + 600s; find_service(session_, cluster_, name);) {
      if (std::chrono::steady_clock::now() > deadline) throw core::Error("service " + name + " is still draining");
      std::this_thread::sleep_for(200ms);
    }
    progress_.done();
    for (const auto& balancer : or_empty(service_.loadBalancers)) {
      if (balancer.targetGroupArn) remove_group(*balancer.targetGroupArn);
    }
    if (!service_.networkConfiguration || !service_.networkConfiguration->awsvpcConfiguration) return;
    for (const auto& id : or_empty(service_.networkConfiguration->awsvpcConfiguration->securityGroups)) remove_security_group(id);
  }

 private:
  // Only one that `deploy` made, and only when no other service or load balancer of the app uses it.
  void remove_security_group(const std::string& id) {
    ec2::DescribeSecurityGroupsRequest ask;
    ask.GroupIds = std::vector<std::string>{id};
    for (const auto& group : or_empty(session_.call<ec2::ops::DescribeSecurityGroups>(ask).SecurityGroups)) {
      if (!or_empty(group.Description).starts_with(kMadeByDeploy)) continue;
      ec2::DeleteSecurityGroupRequest gone;
      gone.GroupId = id;
      try {
        session_.call<ec2::ops::DeleteSecurityGroup>(gone);
      } catch (const aws::Fault& fault) {
        if (fault.code() != "DependencyViolation") throw;
      }
    }
  }

  void remove_group(const std::string& arn) {
    progress_.begin("Target group " + arn.substr(arn.find("targetgroup/") + 12));
    elb::DescribeTargetGroupsInput ask;
    ask.TargetGroupArns = std::vector<std::string>{arn};
    auto groups = or_empty(session_.call<elb::ops::DescribeTargetGroups>(ask).TargetGroups);
    for (const auto& group : groups) {
      for (const auto& balancer : or_empty(group.LoadBalancerArns)) remove_listeners(balancer, arn);
    }
    elb::DeleteTargetGroupInput gone;
    gone.TargetGroupArn = arn;
    session_.call<elb::ops::DeleteTargetGroup>(gone);
    progress_.done();
  }

  void remove_listeners(const std::string& balancer, const std::string& group) {
    elb::DescribeListenersInput ask;
    ask.LoadBalancerArn = balancer;
    bool others = false;
    for (const auto& listener : or_empty(session_.call<elb::ops::DescribeListeners>(ask).Listeners)) {
      bool ours = false;
      for (const auto& action : or_empty(listener.DefaultActions)) ours = ours || action.TargetGroupArn == group;
      if (!ours) {
        others = true;
        continue;
      }
      elb::DeleteListenerInput gone;
      gone.ListenerArn = or_empty(listener.ListenerArn);
      session_.call<elb::ops::DeleteListener>(gone);
    }
    if (others) return;
    elb::DeleteLoadBalancerInput gone;
    gone.LoadBalancerArn = balancer;
    session_.call<elb::ops::DeleteLoadBalancer>(gone);
  }

  Session& session_;
  std::string cluster_;
  ecs::Service service_;
  Progress progress_;
};

void remove(Session& session, const std::string& name, const std::string& cluster) {
  auto found = find(session, cluster, name);
  if (!found.service) throw UsageError(name + " is a task: use sampan stop");
  Removal(session, found.cluster, *found.service).run();
}

// NAME and --cluster, as most of these commands take them.
struct Named {
  std::string name, cluster;
};

CLI::App* named(CLI::App& app, const char* command, const char* help, const std::shared_ptr<Named>& flags, bool required = true) {
  auto* added = app.add_subcommand(command, help);
  added->add_option("NAME", flags->name, "A service, or the beginning of a task's id")->required(required);
  added->add_option("--cluster", flags->cluster, "Default: every cluster is looked through");
  return added;
}

}  // namespace

void add_ps(CLI::App& app, Session& session) {
  auto cluster = std::make_shared<std::string>();
  auto all = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("ps", "Tasks");
  command->add_option("--cluster", *cluster);
  command->add_flag("--all,-a", *all, "Stopped ones too");
  command->callback([=, &session] { ps(session, *cluster, *all); });
}

void add_logs(CLI::App& app, Session& session) {
  auto flags = std::make_shared<LogFlags>();
  auto* command = app.add_subcommand("logs", "What a service or a task printed");
  command->add_option("NAME", flags->name, "A service, or the beginning of a task's id")->required();
  command->add_option("--cluster", flags->cluster);
  command->add_flag("--follow,-f", flags->follow, "Go on with what comes");
  command->add_option("--since", flags->since_minutes, "Minutes to look back")->capture_default_str();
  command->callback([flags, &session] { show_logs(session, *flags); });
}

void add_events(CLI::App& app, Session& session) {
  auto flags = std::make_shared<Named>();
  auto follow = std::make_shared<bool>(false);
  auto* command = named(app, "events", "What the services did, and why", flags, false);
  command->add_flag("--follow,-f", *follow, "Go on with what comes");
  command->callback([=, &session] { show_events(session, flags->name, flags->cluster, *follow); });
}

void add_scale(CLI::App& app, Session& session) {
  auto flags = std::make_shared<Named>();
  auto count = std::make_shared<int>(0);
  auto* command = named(app, "scale", "Change how many tasks a service runs", flags);
  command->add_option("COUNT", *count)->required()->check(CLI::Range(0, 5000));
  command->callback([=, &session] { scale(session, flags->name, *count, flags->cluster); });
}

void add_stop(CLI::App& app, Session& session) {
  auto flags = std::make_shared<Named>();
  named(app, "stop", "Stop a task, or all tasks of a service", flags)->callback([=, &session] { stop(session, flags->name, flags->cluster); });
}

void add_rm(CLI::App& app, Session& session) {
  auto flags = std::make_shared<Named>();
  named(app, "rm", "Remove a service with its target group, and its load balancer once nothing uses it", flags)
      ->callback([=, &session] { remove(session, flags->name, flags->cluster); });
}

}  // namespace sampan::cli
