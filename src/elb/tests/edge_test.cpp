// The driver against a real HAProxy, with real backends and clients. Every test leaves no process behind.
#include "elb/edge.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "core/error.h"
#include "core/text.h"
#include "elb/elb_api.h"
#include "elb/group_targets.h"
#include "elb/haproxy_program.h"
#include "elb/teardown.h"
#include "elb/tests/world.h"
#include "io/file.h"
#include "store/memory_store.h"
#include "vpc/addresses.h"

namespace sampan::elb {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

struct EdgeTest : testing::Test {
  template <class F>
  void run_plain(F f) {
    std::promise<void> done;
    boost::asio::post(executors.control(), [&] {
      f();
      done.set_value();
    });
    done.get_future().get();
  }
  // Runs the coroutine that `make` gives on the control strand, and waits.
  template <class F>
  auto run(F make) {
    using Result = typename std::invoke_result_t<F>::value_type;
    auto started = [](F f) -> boost::asio::awaitable<Result> { co_return co_await f(); };
    return boost::asio::co_spawn(executors.control(), started(std::move(make)), boost::asio::use_future)
        .get();
  }

  EdgeTest() {
    ::chmod(directory.path().c_str(), 0711);  // HAProxy's own user reaches the log socket
    call.account = "000000000000";
    call.region = "us-east-1";
    for (const auto& subnet : interfaces.default_subnets(call.account, call.region)) {
      subnets.push_back(subnet.id);
      vpc_id = subnet.vpc_id;
    }
    thread = std::thread([this] { executors.run(); });
    start_edge();
  }
  ~EdgeTest() override {
    stop_edge();
    tear_down(directory.path() / "data", directory.path() / "run");
    executors.stop();
    thread.join();
  }

  void start_edge() {
    EdgeOptions options;
    options.data_dir = directory.path() / "data";
    options.run_dir = directory.path() / "run";
    options.program = find_haproxy();
    auto make = [this, options] {
      edge = std::make_unique<Edge>(executors, clock, registry, options);
      api = std::make_unique<ElbApi>(registry, *edge, interfaces, ids);
    };
    run_plain(make);
    run([this] { return edge->start(); });
  }
  void stop_edge() {
    if (!edge) return;
    run([this] { return edge->stop(); });
    auto drop = [this] {
      api.reset();
      edge.reset();
    };
    run_plain(drop);
  }

  static elbv2::Action forward(const std::string& group) {
    elbv2::Action action;
    action.Type = "forward";
    action.TargetGroupArn = group;
    return action;
  }
  static elbv2::Action fixed(const std::string& status, const std::string& body) {
    elbv2::Action action;
    action.Type = "fixed-response";
    auto& config = action.FixedResponseConfig.emplace();
    config.StatusCode = status;
    config.MessageBody = body;
    config.ContentType = "text/plain";
    return action;
  }
  elbv2::LoadBalancer make_balancer(const std::string& name = "shop") {
    elbv2::CreateLoadBalancerInput input;
    input.Name = name;
    input.Subnets = subnets;
    call.now = clock.now();
    return run([&] { return api->CreateLoadBalancer(call, input); }).LoadBalancers->front();
  }
  std::string make_group(const std::string& name = "web") {
    elbv2::CreateTargetGroupInput input;
    input.Name = name;
    input.Protocol = "HTTP";
    input.Port = 80;
    input.VpcId = vpc_id;
    input.TargetType = "ip";
    input.HealthCheckPath = "/health";
    const auto arn =
        *run([&] { return api->CreateTargetGroup(call, input); }).TargetGroups->front().TargetGroupArn;
    change_group(arn, [](GroupRow& row) {  // quicker than the API allows
      row.shape.HealthCheckIntervalSeconds = 1;
      row.shape.HealthyThresholdCount = 2;
    });
    return arn;
  }
  template <class F>
  void change_group(const std::string& arn, F change) {
    auto body = [&](store::Txn& tx) {
      auto row = *tx.get(registry.groups, arn);
      change(row);
      tx.put(registry.groups, arn, row);
    };
    run([&] { return store::transact(*store, body); });
  }
  std::string make_listener(const elbv2::LoadBalancer& balancer, int port, const elbv2::Action& action) {
    elbv2::CreateListenerInput input;
    input.LoadBalancerArn = *balancer.LoadBalancerArn;
    input.Protocol = "HTTP";
    input.Port = port;
    input.DefaultActions = {action};
    return *run([&] { return api->CreateListener(call, input); }).Listeners->front().ListenerArn;
  }
  void make_rule(const std::string& listener, int priority, const std::string& path,
                 const elbv2::Action& action) {
    elbv2::CreateRuleInput input;
    input.ListenerArn = listener;
    input.Priority = priority;
    auto& condition = input.Conditions.emplace_back();
    condition.Field = "path-pattern";
    condition.Values = {path};
    input.Actions = {action};
    run([&] { return api->CreateRule(call, input); });
  }
  void add(const std::string& group, const TestBackend& backend) {
    elbv2::RegisterTargetsInput input;
    input.TargetGroupArn = group;
    auto& target = input.Targets.emplace_back();
    target.Id = "127.0.0.1";
    target.Port = backend.port();
    call.now = clock.now();
    run([&] { return api->RegisterTargets(call, input); });
  }
  void remove(const std::string& group, const TestBackend& backend) {
    elbv2::DeregisterTargetsInput input;
    input.TargetGroupArn = group;
    auto& target = input.Targets.emplace_back();
    target.Id = "127.0.0.1";
    target.Port = backend.port();
    call.now = clock.now();
    run([&] { return api->DeregisterTargets(call, input); });
  }
  TargetHealth health(const std::string& group, const TestBackend& backend) {
    TargetHealth result;
    run_plain([&] { result = edge->health(group, "127.0.0.1", backend.port()); });
    return result;
  }
  // Waits for something that happens in other processes.
  template <class F>
  bool until(F f, std::chrono::milliseconds limit = 15s) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < deadline) {
      if (f()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
  bool becomes(const std::string& group, const TestBackend& backend, const std::string& state) {
    return until([&] { return health(group, backend).state == state; });
  }
  std::string what_haproxy_says() {
    const auto paths = edge_paths(directory.path() / "data", directory.path() / "run");
    return ask_haproxy(paths.admin(*HaproxyProcess(paths, "").admin_number()),
                       "show servers state;show stat -1 4 -1") +
           io::read_file(paths.config);
  }
  pid_t pid() {
    const auto text = io::read_file_if_exists(directory.path() / "run" / "edge" / "haproxy.pid");
    return text ? std::atoi(text->c_str()) : 0;
  }

  io::TemporaryDirectory directory;
  io::Executors executors{2, 4};
  std::unique_ptr<store::Store> store = store::make_memory_store(executors.control());
  core::SystemClock clock;
  core::SystemIdSource ids;
  vpc::Topology topology{*store, clock, ids, {}};
  vpc::Addresses interfaces{topology};
  Registry registry{*store};
  std::unique_ptr<Edge> edge;
  std::unique_ptr<ElbApi> api;
  aws::Call call;
  std::vector<std::string> subnets;
  std::string vpc_id;
  std::thread thread;
};

TEST_F(EdgeTest, RulesAreCarriedOut) {
  TestBackend a("a"), b("b");
  const auto group_a = make_group("a"), group_b = make_group("b");
  const int port = free_port();
  const auto balancer = make_balancer();
  const auto listener = make_listener(balancer, port, forward(group_a));
  EXPECT_EQ(get(port, "/").status, 503);  // no targets
  add(group_a, a);
  add(group_b, b);
  make_rule(listener, 10, "/b/*", forward(group_b));
  make_rule(listener, 20, "/fixed", fixed("418", "a \"quoted\" %[src] $HOME body\n"));
  elbv2::Action redirect;
  redirect.Type = "redirect";
  redirect.RedirectConfig.emplace().StatusCode = "HTTP_302";
  redirect.RedirectConfig->Path = "/new/#{path}";
  make_rule(listener, 30, "/old*", redirect);
  elbv2::Action weighted;
  weighted.Type = "forward";
  auto& groups = weighted.ForwardConfig.emplace().TargetGroups.emplace();
  for (const auto& [arn, weight] : {std::pair{group_a, 70}, std::pair{group_b, 30}}) {
    auto& tuple = groups.emplace_back();
    tuple.TargetGroupArn = arn;
    tuple.Weight = weight;
  }
  make_rule(listener, 40, "/weighted", weighted);
  ASSERT_TRUE(becomes(group_a, a, "healthy"));
  ASSERT_TRUE(becomes(group_b, b, "healthy"));

  EXPECT_EQ(get(port, "/").by(), "a");
  EXPECT_EQ(get(port, "/b/x").by(), "b");
  EXPECT_EQ(get(port, "/B/x").by(), "a");  // paths have case
  const auto teapot = get(port, "/fixed");
  EXPECT_EQ(teapot.status, 418);
  EXPECT_EQ(teapot.body, "a \"quoted\" %[src] $HOME body\n");
  const auto moved = get(port, "/old%20x?q=1&r=2", "", "shop.example:81");
  EXPECT_EQ(moved.status, 302);
  EXPECT_EQ(moved.headers.at("location"),
            "http://shop.example:" + std::to_string(port) + "/new/old%20x?q=1&r=2");
  EXPECT_EQ(get(port, "/old").headers.at("location"), "http://x:" + std::to_string(port) + "/new/old");
  EXPECT_EQ(get(port, "/", "", "x", "TRACE").status, 405);
  std::map<std::string, int> share;
  for (int i = 0; i < 300; ++i) ++share[get(port, "/weighted").by()];
  EXPECT_NEAR(share["a"], 210, 50);
  EXPECT_EQ(share["a"] + share["b"], 300);
}

TEST_F(EdgeTest, HeadersTellTheTargetAboutTheClient) {
  TestBackend a("a");
  const auto group = make_group();
  const int port = free_port();
  make_listener(make_balancer(), port, forward(group));
  add(group, a);
  ASSERT_TRUE(becomes(group, a, "healthy"));
  const auto plain = core::to_lower(get(port, "/").body);
  EXPECT_THAT(plain, HasSubstr("\nx-forwarded-for: 127.0.0.1\r"));
  EXPECT_THAT(plain, HasSubstr("\nx-forwarded-proto: http\r"));
  EXPECT_THAT(plain, HasSubstr("\nx-forwarded-port: " + std::to_string(port) + "\r"));
  EXPECT_THAT(plain, testing::ContainsRegex("x-amzn-trace-id: root=1-[0-9a-f]+-[0-9a-f]+"));
  const auto chained = core::to_lower(
      get(port, "/",
          "X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\nX-Amzn-Trace-Id: Self=1-0-0;Root=1-67891233-abc\r\n")
          .body);
  EXPECT_THAT(chained, HasSubstr("\nx-forwarded-for: 1.2.3.4, 5.6.7.8, 127.0.0.1"));
  EXPECT_THAT(chained,
              testing::ContainsRegex("x-amzn-trace-id: self=1-[0-9a-f]+-[0-9a-f]+;root=1-67891233-abc"));
  EXPECT_THAT(chained, Not(HasSubstr("self=1-0-0")));
}

TEST_F(EdgeTest, BalancersOnOnePortAreToldApartByHost) {
  const int port = free_port();
  const auto one = make_balancer("one"), two = make_balancer("two");
  make_listener(one, port, fixed("200", "one"));
  EXPECT_EQ(get(port, "/", "", "anything").body, "one");
  make_listener(two, port, fixed("200", "two"));
  EXPECT_EQ(get(port, "/", "", *one.DNSName).body, "one");
  EXPECT_EQ(get(port, "/", "", core::replace_all(*two.DNSName, "two", "TWO") + ":80").body, "two");
  EXPECT_EQ(get(port, "/", "", "anything").status, 404);
}

TEST_F(EdgeTest, HealthGoesThroughItsStates) {
  TestBackend a("a"), b("b");
  a.health_status = 503;
  const auto group = make_group();
  const int port = free_port();
  add(group, a);
  EXPECT_EQ(health(group, a).reason, "Target.NotInUse");
  make_listener(make_balancer(), port, forward(group));
  ASSERT_TRUE(becomes(group, a, "unhealthy"));
  EXPECT_EQ(health(group, a).reason, "Target.ResponseCodeMismatch");
  EXPECT_EQ(health(group, a).description, "Health checks failed with these codes: [503]");
  // No healthy target at all: requests go to all.
  EXPECT_TRUE(until([&] { return get(port, "/").by() == "a"; }));
  add(group, b);
  ASSERT_TRUE(becomes(group, b, "healthy"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get(port, "/").by(), "b");
  a.health_status = 200;
  ASSERT_TRUE(becomes(group, a, "healthy"));
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) seen.insert(get(port, "/").by());
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b"}));
}

TEST_F(EdgeTest, FirstPassMakesHealthyWithinASecond) {
  TestBackend a("a");
  const auto group = make_group();
  change_group(group, [](GroupRow& row) { row.shape.HealthCheckIntervalSeconds = 30; });
  make_listener(make_balancer(), free_port(), forward(group));
  const auto start = std::chrono::steady_clock::now();
  add(group, a);
  ASSERT_TRUE(becomes(group, a, "healthy"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

TEST_F(EdgeTest, DrainingTargetGetsNoNewRequests) {
  TestBackend a("a"), b("b");
  const auto group = make_group();
  change_group(group, [](GroupRow& row) { row.attributes["deregistration_delay.timeout_seconds"] = "2"; });
  const int port = free_port();
  make_listener(make_balancer(), port, forward(group));
  add(group, a);
  add(group, b);
  ASSERT_TRUE(becomes(group, a, "healthy"));
  ASSERT_TRUE(becomes(group, b, "healthy"));
  a.delay_ms = 700;
  auto slow = std::async(std::launch::async, [&] {
    for (;;) {
      if (const auto answer = get(port, "/slow"); answer.by() != "b") return answer.by();
    }
  });
  ASSERT_TRUE(until([&] { return a.requests > 0; }));
  remove(group, a);
  EXPECT_EQ(health(group, a).state, "draining");
  ASSERT_TRUE(until([&] { return get(port, "/").by() == "b" && get(port, "/").by() == "b"; }));
  const int before = a.requests;
  for (int i = 0; i < 30; ++i) EXPECT_EQ(get(port, "/").by(), "b");
  EXPECT_EQ(a.requests, before);
  EXPECT_EQ(slow.get(), "a");  // what was under way is finished
  ASSERT_TRUE(becomes(group, a, "unused"));
  EXPECT_EQ(health(group, a).reason, "Target.NotRegistered");
  EXPECT_TRUE(until([&] {
    return io::read_file(directory.path() / "data" / "edge" / "haproxy.cfg").find(std::to_string(a.port())) ==
           std::string::npos;
  }));
}

TEST_F(EdgeTest, StickyClientsStayWithTheirTarget) {
  TestBackend a("a"), b("b");
  const auto group = make_group();
  change_group(group, [](GroupRow& row) { row.attributes["stickiness.enabled"] = "true"; });
  const int port = free_port();
  make_listener(make_balancer(), port, forward(group));
  add(group, a);
  add(group, b);
  ASSERT_TRUE(becomes(group, a, "healthy"));
  ASSERT_TRUE(becomes(group, b, "healthy"));
  const auto first = get(port, "/");
  const auto cookie = first.cookies.substr(first.cookies.find("AWSALB="), first.cookies.find(';'));
  EXPECT_THAT(first.cookies, HasSubstr("AWSALBCORS="));
  EXPECT_THAT(first.cookies, Not(HasSubstr("127.0.0.1")));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get(port, "/", "Cookie: " + cookie + "\r\n").by(), first.by());
  EXPECT_EQ(get(port, "/", "Cookie: AWSALB=nonsense\r\n").status, 200);
}

TEST_F(EdgeTest, NoRequestFailsWhileStructureAndTargetsChange) {
  TestBackend a("a"), b("b");
  const auto group = make_group();
  change_group(group, [](GroupRow& row) { row.attributes["deregistration_delay.timeout_seconds"] = "1"; });
  const int port = free_port();
  const auto listener = make_listener(make_balancer(), port, forward(group));
  add(group, a);
  ASSERT_TRUE(becomes(group, a, "healthy"));
  std::atomic<bool> stop{false};
  std::atomic<int> good{0}, bad{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, keep = i < 4] {
      TestClient kept(port);
      while (!stop) {
        const auto answer = keep ? kept.get("/") : get(port, "/");
        ++(answer.status == 200 ? good : bad);
        std::this_thread::sleep_for(std::chrono::milliseconds(keep ? 3 : 1));
      }
    });
  }
  for (int round = 0; round < 4; ++round) {
    make_rule(listener, round + 1, "/r" + std::to_string(round), fixed("200", "x"));
    auto& in = round % 2 ? a : b;
    auto& out = round % 2 ? b : a;
    add(group, in);
    EXPECT_TRUE(becomes(group, in, "healthy")) << what_haproxy_says();
    remove(group, out);
    EXPECT_TRUE(becomes(group, out, "unused"));
  }
  stop = true;
  for (auto& client : clients) client.join();
  EXPECT_EQ(bad, 0);
  EXPECT_GT(good, 500);
}

TEST_F(EdgeTest, PortHeldBySomebodyElseIsNamed) {
  TestBackend other("other");
  const int port = free_port();
  const auto balancer = make_balancer();
  make_listener(balancer, port, fixed("200", "mine"));
  try {
    make_listener(balancer, other.port(), fixed("200", "x"));
    FAIL();
  } catch (const aws::Fault& fault) {
    EXPECT_EQ(fault.code(), "InvalidConfigurationRequest");
    EXPECT_THAT(fault.what(),
                HasSubstr("port " + std::to_string(other.port()) + " of 127.0.0.1 is in use by "));
    EXPECT_THAT(fault.what(), HasSubstr("(pid " + std::to_string(getpid()) + ")"));
    EXPECT_THAT(fault.what(), HasSubstr("choose another port"));
  }
  EXPECT_EQ(registry.listeners.size(), 1u);
  EXPECT_EQ(get(port, "/").body, "mine");
}

TEST_F(EdgeTest, KilledProcessIsStartedAgainWithItsTargets) {
  TestBackend a("a");
  const auto group = make_group();
  const int port = free_port();
  make_listener(make_balancer(), port, forward(group));
  add(group, a);
  ASSERT_TRUE(becomes(group, a, "healthy"));
  ASSERT_TRUE(until([&] { return get(port, "/").by() == "a"; }));
  const auto first = pid();
  ASSERT_GT(first, 1);
  ASSERT_EQ(kill(first, SIGKILL), 0);
  EXPECT_TRUE(until([&] { return pid() != first && get(port, "/").by() == "a"; }));
  EXPECT_EQ(health(group, a).state, "healthy");
}

TEST_F(EdgeTest, NextDriverAdoptsTheProcess) {
  TestBackend a("a"), b("b");
  const auto group = make_group();
  const int port = free_port();
  make_listener(make_balancer(), port, forward(group));
  add(group, a);
  ASSERT_TRUE(becomes(group, a, "healthy"));
  ASSERT_TRUE(until([&] { return get(port, "/").by() == "a"; }));
  const auto before = pid();
  stop_edge();
  EXPECT_EQ(get(port, "/").by(), "a");  // nobody drives
  start_edge();
  EXPECT_TRUE(becomes(group, a, "healthy"));
  add(group, b);
  EXPECT_TRUE(becomes(group, b, "healthy"));
  EXPECT_TRUE(until([&] { return get(port, "/").by() == "b"; }));
  EXPECT_EQ(pid(), before);
}

TEST_F(EdgeTest, LastListenerEndsTheProcess) {
  const int port = free_port();
  const auto listener = make_listener(make_balancer(), port, fixed("200", "x"));
  const auto process = pid();
  ASSERT_GT(process, 1);
  elbv2::DeleteListenerInput input;
  input.ListenerArn = listener;
  run([&] { return api->DeleteListener(call, input); });
  EXPECT_EQ(get(port, "/").status, 0);
  EXPECT_EQ(pid(), 0);
}

TEST(Teardown, NothingToDoIsNoError) {
  io::TemporaryDirectory directory;
  tear_down(directory.path() / "data", directory.path() / "run");
  // A pid file that names somebody else's process ends nobody.
  io::make_directories(directory.path() / "run" / "edge");
  io::replace_file(directory.path() / "run" / "edge" / "haproxy.pid", std::to_string(getpid()),
                   io::Durability::kProcessCrash);
  tear_down(directory.path() / "data", directory.path() / "run");
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "run" / "edge"));
}

}  // namespace
}  // namespace sampan::elb
