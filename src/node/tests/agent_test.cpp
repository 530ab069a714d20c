#include "node/agent.h"

#include <gmock/gmock.h>

#include <condition_variable>

#include "node/tests/machine.h"
#include "node/teardown.h"

namespace sampan::node {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// Everything that outlives a daemon: the disk, the kernel, the log store.
struct World {
  World()
      : instance(fresh_instance()),
        start(fresh_cidr_start()),
        content((io::make_directories(data(), 0711), data())),
        box(store_box(content)),
        catalog(box.manifest) {
    chmod(directory.path().c_str(), 0711);
    host = runtime::probe_host("auto", directory.path() / "runtime-choice");
  }
  std::filesystem::path data() const { return directory.path() / "data"; }
  std::filesystem::path run() const { return directory.path() / "run"; }

  io::TemporaryDirectory directory{"/var/tmp", "node-"};
  std::string instance;
  std::string start;
  image::ContentStore content;
  image::Image box;
  OneImage catalog;
  MemorySink logs;
  runtime::Host host;
};

// One life of the daemon.
class Life {
 public:
  explicit Life(World& world)
      : layers_(world.data(), world.content),
        images_(running_.executors, world.content, layers_, world.catalog, registries_),
        runtime_(running_.executors, world.host, world.run() / "rt"),
        cgroups_(world.host.cgroups),
        network_(running_.executors, {world.run(), world.instance, UserNamespaces::kFargate, 2}),
        server_(running_.executors, [](http::Request&, http::BodyReader&) -> io::Awaitable<http::Response> {
          co_return http::Response{};
        }) {
    agent_ = std::make_unique<Agent>(AgentParts{running_.executors,
                                                clock_,
                                                ids_,
                                                images_,
                                                runtime_,
                                                cgroups_,
                                                network_,
                                                &world.logs,
                                                &server_,
                                                {}},
                                     AgentOptions{world.data(), world.instance, UserNamespaces::kFargate});
    running_.on_control([this] { agent_->on_report([this](const TaskReport& report) { note(report); }); });
    running_.wait(agent_->start());
    for (auto& report : running_.on_control([this] { return agent_->reports(); })) note(report);
  }
  ~Life() { running_.halt(); }

  void assign(TaskAssignment task) { running_.wait(agent_->assign(std::move(task))); }
  void stop(const std::string& id) { running_.wait(agent_->stop(id)); }
  void forget(const std::string& id) { running_.wait(agent_->forget(id)); }

  TaskReport wait_for(const std::string& id, std::function<bool(const TaskReport&)> wanted,
                      std::chrono::milliseconds limit = 20s) {
    std::unique_lock lock(mutex_);
    bool seen = told_.wait_for(lock, limit, [&] { return latest_.contains(id) && wanted(latest_[id]); });
    EXPECT_TRUE(seen) << "last phase " << static_cast<int>(latest_[id].phase) << " "
                      << latest_[id].stopped_reason;
    return latest_[id];
  }
  TaskReport wait_phase(const std::string& id, TaskPhase phase) {
    return wait_for(id, [phase](const TaskReport& report) { return report.phase >= phase; });
  }
  std::string exec(const std::string& id, const std::string& container, const std::string& script) {
    auto ref = running_.on_control([&] { return agent_->container(id, container); });
    if (!ref) return "(not running)";
    runtime::ExecRequest request;
    request.process.args = {"/bin/sh", "-c", script};
    auto result = running_.wait(runtime_.exec(*ref, request));
    return result.out + result.err;
  }
  std::vector<TaskReport> history(const std::string& id) {
    std::scoped_lock lock(mutex_);
    return history_[id];
  }

 private:
  void note(const TaskReport& report) {
    std::scoped_lock lock(mutex_);
    latest_[report.task_id] = report;
    history_[report.task_id].push_back(report);
    told_.notify_all();
  }

  Running running_;
  core::SystemClock clock_;
  core::SystemIdSource ids_;
  image::LayerStore layers_;
  image::RegistryNetwork registries_;
  image::Images images_;
  runtime::OciRuntime runtime_;
  runtime::Cgroups cgroups_;
  KernelNetwork network_;
  http::Server server_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::map<std::string, TaskReport> latest_;
  std::map<std::string, std::vector<TaskReport>> history_;
  std::unique_ptr<Agent> agent_;
};

class AgentTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!root()) GTEST_SKIP() << "needs root: namespaces, mounts, cgroups";
    world_ = std::make_unique<World>();
  }

  TaskAssignment task(std::vector<ContainerAssignment> containers, int host = 0) {
    TaskAssignment task;
    task.task_id = ids_.hex(32);
    task.task_arn = "arn:aws:ecs:us-east-1:000000000000:task/c/" + task.task_id;
    task.account = "000000000000";
    task.region = "us-east-1";
    task.cluster = "c";
    task.family = "f";
    task.revision = 1;
    task.launch_type = "FARGATE";
    task.cpu_units = 256;
    task.memory_mib = 512;
    task.network = vpc_network(world_->start, host ? host : next_host_++);
    task.containers = std::move(containers);
    return task;
  }
  static ContainerAssignment container(std::string name, std::string script) {
    ContainerAssignment made;
    made.name = std::move(name);
    made.image = "box";
    made.entry_point = std::vector<std::string>{"/bin/sh", "-c"};
    made.command = std::vector<std::string>{std::move(script)};
    made.log.driver = "awslogs";
    made.log.options = {
        {"awslogs-group", "g"}, {"awslogs-stream-prefix", "p"}, {"awslogs-region", "us-east-1"}};
    made.stop_timeout_seconds = 2;
    return made;
  }
  std::vector<std::string> log(const TaskAssignment& task, const std::string& name) {
    return world_->logs.lines("p/" + name + "/" + task.task_id);
  }
  // The bridge and the tables stay for the next task of the VPC.
  void expect_nothing_left() {
    EXPECT_EQ(shell("grep -F " + world_->directory.path().string() + " /proc/self/mountinfo"), "");
    EXPECT_EQ(shell("find /sys/fs/cgroup -path '*sampan-" + world_->instance + "/*' -type d"), "");
  }
  void TearDown() override {
    if (!world_) return;
    {
      Running running;
      runtime::OciRuntime runtime(running.executors, world_->host, world_->run() / "rt");
      auto failures = teardown_everything({world_->data(), world_->run(), world_->instance}, runtime,
                                          runtime::Cgroups(world_->host.cgroups));
      EXPECT_THAT(failures, testing::IsEmpty());
    }
    expect_nothing_left();
    EXPECT_EQ(shell("ip -o link | grep sp" + world_->instance), "");
    EXPECT_EQ(shell("nft list tables | grep sampan-" + world_->instance), "");
    EXPECT_EQ(shell("find /sys/fs/cgroup -name 'sampan-" + world_->instance + "'"), "");
    EXPECT_EQ(shell("pgrep -f '[/]" + world_->directory.path().string().substr(1) + "'"), "")
        << "monitors or containers still run";
  }

  core::SystemIdSource ids_;
  int next_host_ = 10;
  std::unique_ptr<World> world_;
};

TEST_F(AgentTest, RunsATaskToItsEndAndKeepsItsWords) {
  Life life(*world_);
  auto one = task({container("app", "echo first; echo second >&2; id -u; hostname; exit 3")});
  life.assign(one);
  auto end = life.wait_phase(one.task_id, TaskPhase::kStopped);
  EXPECT_EQ(end.stop_code, "EssentialContainerExited");
  EXPECT_EQ(end.stopped_reason, "Essential container in task exited");
  ASSERT_EQ(end.containers.size(), 1u);
  EXPECT_EQ(end.containers[0].exit_code, 3);
  EXPECT_EQ(end.containers[0].reason, "");
  EXPECT_TRUE(end.pull_started_at && end.pull_stopped_at && end.started_at && end.stopping_at &&
              end.stopped_at && end.execution_stopped_at && end.connectivity_at);
  EXPECT_LE(*end.pull_started_at, *end.pull_stopped_at);
  EXPECT_LE(*end.started_at, *end.stopped_at);
  auto lines = log(one, "app");
  EXPECT_THAT(lines, testing::UnorderedElementsAre("first", "second", "0", "ip-10.ec2.internal"));
  life.forget(one.task_id);
  EXPECT_FALSE(std::filesystem::exists(world_->data() / "containers" / one.task_id));
  expect_nothing_left();
}

TEST_F(AgentTest, GivesTheTaskItsAddressNamesAndMetadata) {
  Life life(*world_);
  auto one = task({container("app", "exec sleep 1000")});
  life.assign(one);
  life.wait_phase(one.task_id, TaskPhase::kRunning);
  EXPECT_THAT(life.exec(one.task_id, "app", "ip -4 addr show eth0"), HasSubstr(one.network.address + "/24"));
  EXPECT_THAT(life.exec(one.task_id, "app", "cat /etc/hosts"),
              HasSubstr(one.network.address + "\tip-10.ec2.internal"));
  EXPECT_THAT(life.exec(one.task_id, "app", "cat /etc/resolv.conf"), HasSubstr("nameserver"));
  EXPECT_THAT(life.exec(one.task_id, "app", "wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task"),
              HasSubstr("\"TaskARN\":\"" + one.task_arn + "\""));
  EXPECT_THAT(life.exec(one.task_id, "app", "wget -qO- $ECS_CONTAINER_METADATA_URI_V4/stats"),
              HasSubstr("total_usage"));
  EXPECT_THAT(life.exec(one.task_id, "app", "cat /proc/self/uid_map"), testing::Not(HasSubstr(" 4294967295")))
      << "a Fargate task has a user namespace of its own";
  life.stop(one.task_id);
  auto end = life.wait_phase(one.task_id, TaskPhase::kStopped);
  EXPECT_EQ(end.stop_code, "") << "the control plane knows who asked";
  EXPECT_EQ(end.containers[0].exit_code, 137) << "sleep as process 1 does not hear SIGTERM";
  expect_nothing_left();
}

TEST_F(AgentTest, StartsInDependencyOrderAndSharesLocalhost) {
  Life life(*world_);
  auto web = container(
      "web", "busybox mkdir -p /tmp/w; echo inside > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w");
  auto init = container("init", "echo ready; exit 0");
  init.essential = false;
  auto client = container(
      "client",
      "for i in 1 2 3 4 5 6 7 8 9 10; do wget -qO- http://127.0.0.1/ && break; sleep 0.2; done; sleep 0.1");
  client.depends_on = {{"init", "SUCCESS"}, {"web", "START"}};
  auto one = task({client, web, init});
  life.assign(one);
  life.wait_phase(one.task_id, TaskPhase::kStopped);
  EXPECT_THAT(log(one, "client"), ElementsAre("inside")) << testing::PrintToString(log(one, "web"));
  expect_nothing_left();
}

TEST_F(AgentTest, FailsToStartWithAwsWords) {
  Life life(*world_);
  auto absent_image = task({container("app", "true")});
  absent_image.containers[0].image = "nowhere:1";
  auto absent_program = task({container("app", "true")});
  absent_program.containers[0].entry_point = std::vector<std::string>{"/bin/nope"};
  auto absent_group = task({container("app", "true")});
  absent_group.containers[0].log.options["awslogs-group"] = "absent";
  for (const auto* one : {&absent_image, &absent_program, &absent_group}) life.assign(*one);
  auto image = life.wait_phase(absent_image.task_id, TaskPhase::kStopped);
  EXPECT_EQ(image.stop_code, "TaskFailedToStart");
  EXPECT_THAT(image.stopped_reason, testing::StartsWith("CannotPullContainerError: "));
  EXPECT_FALSE(image.started_at);
  EXPECT_FALSE(image.containers[0].exit_code);
  auto program = life.wait_phase(absent_program.task_id, TaskPhase::kStopped);
  EXPECT_EQ(program.stop_code, "TaskFailedToStart");
  EXPECT_THAT(program.stopped_reason, testing::StartsWith("CannotStartContainerError: "));
  EXPECT_THAT(program.containers[0].reason, HasSubstr("/bin/nope"));
  auto group = life.wait_phase(absent_group.task_id, TaskPhase::kStopped);
  EXPECT_EQ(group.stopped_reason,
            "ResourceInitializationError: failed to initialize logging driver: The specified log group does "
            "not exist.");
  expect_nothing_left();
}

TEST_F(AgentTest, AnotherLifeAdoptsWhatRunsAndWhatEnded) {
  auto stays = task({container("app", "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.05; done")});
  auto ends = task({container("app", "echo begun; sleep 0.7; echo last words; exit 7")});
  auto stopping = task({container("app", "trap '' TERM; echo stubborn; while true; do sleep 0.1; done")});
  TaskReport before;
  {
    Life life(*world_);
    life.assign(stays);
    life.assign(ends);
    life.assign(stopping);
    for (const auto* one : {&stays, &ends, &stopping})
      before = life.wait_phase(one->task_id, TaskPhase::kRunning);
    life.stop(stopping.task_id);
    life.wait_phase(stopping.task_id, TaskPhase::kStopping);
  }
  std::this_thread::sleep_for(1s);  // nobody watches: the world goes on
  Life life(*world_);
  auto ended = life.wait_phase(ends.task_id, TaskPhase::kStopped);
  EXPECT_EQ(ended.containers[0].exit_code, 7);
  EXPECT_EQ(ended.stop_code, "EssentialContainerExited");
  EXPECT_THAT(log(ends, "app"), ElementsAre("begun", "last words"));
  auto killed = life.wait_phase(stopping.task_id, TaskPhase::kStopped);
  EXPECT_EQ(killed.containers[0].exit_code, 137);
  EXPECT_GT(killed.sequence, before.sequence);
  EXPECT_THAT(life.exec(stays.task_id, "app", "wget -qO- $ECS_CONTAINER_METADATA_URI_V4"),
              HasSubstr("\"Name\":\"app\""));
  life.stop(stays.task_id);
  life.wait_phase(stays.task_id, TaskPhase::kStopped);
  auto lines = log(stays, "app");
  ASSERT_GT(lines.size(), 20u);
  for (std::size_t i = 0; i < lines.size(); ++i) ASSERT_EQ(lines[i], fmt::format("line {}", i + 1));
  expect_nothing_left();
}

TEST_F(AgentTest, TearsDownWhatADeadDaemonLeft) {
  auto one = task({container("app", "trap '' TERM; while true; do sleep 0.1; done")});
  auto two = task({container("app", "exec sleep 1000"), container("side", "exec sleep 1000")});
  {
    Life life(*world_);
    life.assign(one);
    life.assign(two);
    life.wait_phase(one.task_id, TaskPhase::kRunning);
    life.wait_phase(two.task_id, TaskPhase::kRunning);
  }
  TearDown();  // checks that nothing is left
  Life life(*world_);
  EXPECT_EQ(life.wait_phase(one.task_id, TaskPhase::kStopped).containers[0].exit_code, 137);
  life.wait_phase(two.task_id, TaskPhase::kStopped);
}

TEST_F(AgentTest, SharesVolumesWithinTheTaskOnly) {
  Life life(*world_);
  auto writer = container("writer", "echo shared > /v/file; sleep 1000");
  writer.mounts = {{"scratch", "/v", false}};
  auto reader = container(
      "reader",
      "for i in 1 2 3 4 5 6 7 8 9; do cat /w/file && break; sleep 0.1; done; touch /w/x || echo read-only");
  reader.mounts = {{"scratch", "/w", true}};
  reader.depends_on = {{"writer", "START"}};
  auto one = task({writer, reader});
  one.volumes = {{"scratch", ""}};
  life.assign(one);
  life.wait_phase(one.task_id, TaskPhase::kStopped);
  EXPECT_THAT(log(one, "reader"), Contains("shared"));
  EXPECT_THAT(log(one, "reader"), Contains("read-only"));
  life.forget(one.task_id);
  EXPECT_FALSE(std::filesystem::exists(world_->data() / "containers" / one.task_id));
}

TEST_F(AgentTest, StopDuringThePullLeavesNothing) {
  Life life(*world_);
  std::vector<TaskAssignment> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(task({container("app", "exec sleep 1000")}));
  for (const auto& one : tasks) {
    life.assign(one);
    life.stop(one.task_id);
  }
  for (const auto& one : tasks) life.wait_phase(one.task_id, TaskPhase::kStopped);
  expect_nothing_left();
  for (const auto& one : tasks) {
    for (const auto& report : life.history(one.task_id))
      EXPECT_FALSE(report.phase == TaskPhase::kRunning && report.stopping_at);
    life.forget(one.task_id);
  }
}

TEST_F(AgentTest, UnknownTaskIsReportedStopped) {
  Life life(*world_);
  life.stop("0123456789abcdef0123456789abcdef");
  auto report = life.wait_phase("0123456789abcdef0123456789abcdef", TaskPhase::kStopped);
  EXPECT_TRUE(report.stopped_at);
}

TEST_F(AgentTest, SaysOutOfMemory) {
  Life life(*world_);
  auto hog = container("app", "x=$(dd if=/dev/zero bs=1M count=200 | tr '\\0' x)");
  hog.command = std::vector<std::string>{"exec dd if=/dev/zero of=/dev/null bs=200M count=1"};
  hog.memory_mib = 32;
  auto one = task({hog});
  life.assign(one);
  auto end = life.wait_phase(one.task_id, TaskPhase::kStopped);
  EXPECT_EQ(end.containers[0].exit_code, 137);
  EXPECT_EQ(end.containers[0].reason, "OutOfMemoryError: Container killed due to memory usage");
}

TEST_F(AgentTest, ChecksHealth) {
  Life life(*world_);
  auto app = container("app", "touch /tmp/ok; while true; do sleep 1; done");
  app.health_check = HealthCheck{{"CMD-SHELL", "test -e /tmp/ok"}, 1, 2, 1, 0};
  auto one = task({app});
  life.assign(one);
  life.wait_for(one.task_id, [](const TaskReport& r) {
    return !r.containers.empty() && r.containers[0].health == Health::kHealthy;
  });
  life.exec(one.task_id, "app", "rm /tmp/ok || busybox rm /tmp/ok");
  life.wait_for(one.task_id,
                [](const TaskReport& r) { return r.containers[0].health == Health::kUnhealthy; });
  life.stop(one.task_id);
  life.wait_phase(one.task_id, TaskPhase::kStopped);
}

}  // namespace
}  // namespace sampan::node
