#include "node/container_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "core/error.h"
#include "node/etc_files.h"
#include "node/metadata.h"

namespace sampan::node {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using List = std::vector<std::string>;

TEST(ResolveCommand, FollowsDockersRule) {
  image::ImageConfig image;
  image.entrypoint = {"/entry"};
  image.cmd = {"default"};
  ContainerAssignment container;
  EXPECT_THAT(resolve_command(container, image), ElementsAre("/entry", "default"));
  container.command = List{"own"};
  EXPECT_THAT(resolve_command(container, image), ElementsAre("/entry", "own"));
  container.entry_point = List{"/mine"};
  EXPECT_THAT(resolve_command(container, image), ElementsAre("/mine", "own"));
  container.command.reset();
  EXPECT_THAT(resolve_command(container, image), ElementsAre("/mine")) << "the image's command is void";
  container.entry_point = List{};
  EXPECT_THAT(resolve_command(container, image), ElementsAre("/entry", "default"));
}

TEST(MergeEnvironment, LaterOnesWinInTheFirstPlace) {
  image::ImageConfig image;
  image.env = {"PATH=/bin", "MODE=image"};
  ContainerAssignment container;
  container.environment = {{"MODE", "own"}, {"EMPTY", ""}};
  EXPECT_THAT(merge_environment(image, {{"AWS_REGION", "r"}}, container, "h"),
              ElementsAre("PATH=/bin", "MODE=own", "HOSTNAME=h", "AWS_REGION=r", "EMPTY="));
}

TEST(ParseSignal, KnowsNamesAndNumbers) {
  EXPECT_EQ(parse_signal(""), SIGTERM);
  EXPECT_EQ(parse_signal("SIGQUIT"), SIGQUIT);
  EXPECT_EQ(parse_signal("INT"), SIGINT);
  EXPECT_EQ(parse_signal("9"), SIGKILL);
  EXPECT_EQ(parse_signal("SIGRTMIN+3"), 37);
  EXPECT_EQ(parse_signal("SIGNONSENSE"), SIGTERM);
  EXPECT_EQ(parse_signal("4711"), SIGTERM);
}

TEST(HealthCommand, KnowsBothForms) {
  EXPECT_THAT(health_command({{"CMD", "a", "b"}, 1, 1, 1, 0}), ElementsAre("a", "b"));
  EXPECT_THAT(health_command({{"CMD-SHELL", "a b"}, 1, 1, 1, 0}), ElementsAre("/bin/sh", "-c", "a b"));
  EXPECT_THAT(health_command({{"NONE"}, 1, 1, 1, 0}), IsEmpty());
}

TEST(ContainerSpec, CarriesLimitsMountsAndNamespaces) {
  TaskAssignment task;
  ContainerAssignment source;
  source.name = "source";
  source.mounts = {{"data", "/data", false}, {"data", "/other", false}};
  ContainerAssignment container;
  container.name = "app";
  container.command = List{"run"};
  container.cpu_units = 128;
  container.memory_mib = 64;
  container.volumes_from = {{"source", true}};
  container.mounts = {{"data", "/other", false}};
  container.ulimits = {{"nofile", 10, -1}};
  task.containers = {source, container};
  image::ImageConfig image;
  image.user = "app";
  image.working_dir = "/srv";
  Sandbox sandbox;
  sandbox.network_namespace = "/run/net";
  sandbox.user_namespace = "/run/user";
  sandbox.ids = IdRange{1u << 24, 65536};
  SpecInput input{task,          task.containers[1], image, sandbox, "id-1", "host", "/folder",
                  "/sampan-x/t", {{"data", "/vol"}}, {}};
  auto spec = make_container_spec(input);
  EXPECT_EQ(spec.rootfs, "/folder/rootfs");
  EXPECT_EQ(spec.cgroup_path, "/sampan-x/t/app");
  EXPECT_EQ(spec.resources.memory_bytes, 64 * 1024 * 1024);
  EXPECT_EQ(spec.resources.cpu_shares, 128);
  EXPECT_GT(spec.resources.pids, 0);
  EXPECT_EQ(spec.process.user, "app");
  EXPECT_EQ(spec.process.cwd, "/srv");
  EXPECT_EQ(spec.process.rlimits[0].hard, UINT64_MAX);
  ASSERT_TRUE(spec.user_namespace);
  EXPECT_EQ(spec.user_namespace->host_base, 1u << 24);
  List targets;
  for (const auto& mount : spec.mounts) targets.push_back(mount.target + " " + mount.options[0]);
  EXPECT_THAT(targets, ElementsAre("/etc/resolv.conf rw", "/etc/hosts rw", "/etc/hostname rw", "/data ro",
                                   "/other rw"));
  input.volumes.clear();
  EXPECT_THROW(make_container_spec(input), core::Error);
}

TEST(ContainerSpec, ForbidsNewPrivilegesUnlessPrivileged) {
  TaskAssignment task;
  ContainerAssignment container;
  container.command = List{"run"};
  image::ImageConfig image;
  Sandbox sandbox;
  SpecInput input{task, container, image, sandbox, "i", "", "/f", "/c", {}, {}};
  EXPECT_TRUE(make_container_spec(input).process.no_new_privileges);
  container.privileged = true;
  EXPECT_FALSE(make_container_spec(input).process.no_new_privileges);
}

TEST(ContainerSpec, NeedsACommand) {
  TaskAssignment task;
  ContainerAssignment container;
  image::ImageConfig image;
  Sandbox sandbox;
  EXPECT_THROW(make_container_spec({task, container, image, sandbox, "i", "", "/f", "/c", {}, {}}),
               core::Error);
}

TEST(EtcFiles, LeaveOutServersThatOnlyTheHostReaches) {
  EXPECT_EQ(
      render_resolv_conf(
          "# x\nnameserver 127.0.0.53\nnameserver\t10.0.0.2\nsearch a.b  c\noptions edns0\nsortlist 1\n"),
      "nameserver 10.0.0.2\nsearch a.b c\noptions edns0\n");
  EXPECT_THAT(render_hosts("ip-1.ec2.internal", "172.30.0.17", {{"db", "10.0.0.9"}}),
              HasSubstr("172.30.0.17\tip-1.ec2.internal\n10.0.0.9\tdb\n"));
}

TEST(MetadataPath, KnowsItsPaths) {
  EXPECT_EQ(parse_metadata_path("/v4/id")->kind, MetadataKind::kContainer);
  EXPECT_EQ(parse_metadata_path("/v4/id/")->kind, MetadataKind::kContainer);
  EXPECT_EQ(parse_metadata_path("/v3/id/task")->kind, MetadataKind::kTask);
  EXPECT_EQ(parse_metadata_path("/v4/id/task/stats")->kind, MetadataKind::kTaskStats);
  EXPECT_EQ(parse_metadata_path("/v2/credentials/u")->id, "u");
  for (const char* bad :
       {"", "/", "/v4", "/v4/", "/v4//task", "/v5/id", "/v4/id/tasks", "/v2/x/u", "v4/id"}) {
    EXPECT_FALSE(parse_metadata_path(bad)) << bad;
  }
}

TEST(Metadata, TellsTheTask) {
  Intent intent;
  intent.assignment.task_arn = "arn:t";
  intent.assignment.cpu_units = 512;
  intent.assignment.launch_type = "FARGATE";
  intent.assignment.region = "eu-north-1";
  ContainerAssignment container;
  container.name = "app";
  intent.assignment.containers = {container};
  intent.assignment.task_role_arn = "arn:role";
  intent.credentials_id = "cred";
  intent.runtime_ids = {"t-1"};
  auto record = new_record(intent);
  auto text = render_task_metadata(intent, record, core::TimePoint(), false);
  EXPECT_THAT(text, HasSubstr("\"TaskARN\":\"arn:t\""));
  EXPECT_THAT(text, HasSubstr("\"CPU\":5E-1"));
  EXPECT_THAT(text, HasSubstr("\"DockerId\":\"t-1\""));
  auto variables = injected_environment(intent, 0, true);
  EXPECT_THAT(variables, Contains(std::pair<std::string, std::string>("ECS_CONTAINER_METADATA_URI_V4",
                                                                      "http://169.254.170.2/v4/t-1")));
  EXPECT_THAT(variables, Contains(std::pair<std::string, std::string>(
                             "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/cred")));
  EXPECT_THAT(variables,
              Contains(std::pair<std::string, std::string>("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")));
}

}  // namespace
}  // namespace sampan::node
