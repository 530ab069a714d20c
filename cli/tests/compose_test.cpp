#include "cli/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sampan::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Compose parse(const std::string& text, const std::map<std::string, std::string>& environment = {}) {
  return parse_compose(text, "app", environment);
}

std::string error_of(const std::string& text) {
  try {
    parse(text);
  } catch (const ComposeError& error) {
    return error.what();
  }
  return "";
}

TEST(Compose, ReadsWhatADeploymentNeeds) {
  auto compose = parse(R"(
services:
  web:
    build: {context: ./web, target: run, args: {A: "1"}}
    ports: ["8081:8080", "9000"]
    environment: [GREETING=hi, FROM_CALLER]
    command: serve --port "80 80"
    depends_on: {db: {condition: service_started}}
    healthcheck: {test: curl -f localhost, interval: 1m30s, retries: 2}
    stop_grace_period: 1m
    labels: {sampan.health-path: /health}
    deploy: {replicas: 3, resources: {limits: {cpus: "1.5", memory: 3G}}}
  db:
    image: postgres:15
    environment: {POSTGRES_PASSWORD: secret}
)",
                       {{"FROM_CALLER", "yes"}});
  ASSERT_EQ(compose.services.size(), 2u);
  EXPECT_EQ(compose.services[0].name, "db");  // what is depended on comes first
  const auto& web = compose.services[1];
  ASSERT_TRUE(web.build);
  EXPECT_EQ(web.build->context, "./web");
  EXPECT_EQ(web.build->target, "run");
  EXPECT_THAT(web.build->args, ElementsAre(Pair("A", "1")));
  ASSERT_EQ(web.ports.size(), 2u);
  EXPECT_EQ(web.ports[0].published, 8081);
  EXPECT_EQ(web.ports[0].container, 8080);
  EXPECT_EQ(web.ports[1].published, 0);
  EXPECT_THAT(web.environment, ElementsAre(Pair("GREETING", "hi"), Pair("FROM_CALLER", "yes")));
  EXPECT_THAT(web.command, ElementsAre("serve", "--port", "80 80"));
  ASSERT_TRUE(web.health);
  EXPECT_THAT(web.health->command, ElementsAre("CMD-SHELL", "curl -f localhost"));
  EXPECT_EQ(web.health->interval_seconds, 90);
  EXPECT_EQ(web.stop_timeout_seconds, 60);
  EXPECT_EQ(web.health_path, "/health");
  EXPECT_EQ(web.replicas, 3);
  EXPECT_DOUBLE_EQ(web.cpus, 1.5);
  EXPECT_EQ(web.memory_mib, 3072);
  EXPECT_TRUE(compose.ignored.empty());
}

TEST(Compose, PutsTheCallersEnvironmentIn) {
  auto compose = parse("services: {a: {image: '${REPO:-local}/a:$TAG', command: [echo, $$HOME]}}", {{"TAG", "7"}});
  EXPECT_EQ(compose.services[0].image, "local/a:7");
  EXPECT_THAT(compose.services[0].command, ElementsAre("echo", "$HOME"));
}

TEST(Compose, NamesWhatItLeavesOut) {
  auto compose = parse("services: {a: {image: x, networks: [n], x-own: 1}}\nvolumes: {}\n");
  EXPECT_THAT(compose.ignored, ElementsAre("services.a.networks", "volumes"));
}

struct Fault {
  const char* text;
  const char* says;
};

class ComposeFaults : public testing::TestWithParam<Fault> {};

TEST_P(ComposeFaults, SayWhereAndWhat) { EXPECT_THAT(error_of(GetParam().text), HasSubstr(GetParam().says)); }

INSTANTIATE_TEST_SUITE_P(
    Table, ComposeFaults,
    testing::Values(Fault{"services: [", "line 1"}, Fault{"x: 1", "no map 'services'"}, Fault{"services: {}", "'services' is empty"},
                    Fault{"services:\n  a: {ports: [80]}", "line 2: service 'a' has neither image nor build"},
                    Fault{"services: {A: {image: x}}", "service name 'A'"},
                    Fault{"services: {a: {image: x, ports: ['80-90:80']}}", "port '80-90:80' is not understood"},
                    Fault{"services: {a: {image: x, ports: ['70000']}}", "port '70000'"},
                    Fault{"services: {a: {image: x, depends_on: [b]}}", "'a' depends on 'b', which is not there"},
                    Fault{"services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}", "in a circle"},
                    Fault{"services: {a: {image: x, stop_grace_period: soon}}", "'soon' is no duration"},
                    Fault{"services: {a: {image: x, deploy: {replicas: -1}}}", "a number from 0 to 5000"},
                    Fault{"services: {a: {image: x, deploy: {resources: {limits: {memory: lots}}}}}", "no amount of memory"},
                    Fault{"services: {a: {image: x, command: 'echo \"open'}}", "a quote is not closed"}));

TEST(FargateSize, IsTheSmallestThatFits) {
  struct Row {
    double cpus;
    int memory, cpu, gives;
  };
  for (const auto& row : {Row{0.1, 100, 256, 512}, Row{0.25, 1100, 256, 2048}, Row{0.25, 3000, 512, 3072}, Row{1, 512, 1024, 2048},
                          Row{4, 1, 4096, 8192}, Row{8, 17000, 8192, 20480}, Row{16, 122880, 16384, 122880}}) {
    auto size = fargate_size(row.cpus, row.memory);
    EXPECT_EQ(size.cpu, row.cpu) << row.cpus << " " << row.memory;
    EXPECT_EQ(size.memory, row.gives) << row.cpus << " " << row.memory;
  }
  EXPECT_THROW(fargate_size(17, 512), ComposeError);
  EXPECT_THROW(fargate_size(1, 200000), ComposeError);
}

}  // namespace
}  // namespace sampan::cli
