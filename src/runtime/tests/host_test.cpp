#include "runtime/host.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "runtime/cgroup.h"
#include "runtime/oci_runtime.h"
#include "runtime/tests/machine.h"

namespace sampan::runtime {
namespace {

TEST(CgroupMounts, TellsTheVersionsApart) {
  const CgroupLayout v2 =
      parse_cgroup_mounts("30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  EXPECT_EQ(v2.mode, CgroupMode::kV2);
  EXPECT_EQ(v2.unified, "/sys/fs/cgroup");
  const std::string v1 =
      "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "33 30 0:29 /docker/x /mnt/part rw - cgroup cgroup rw,pids\n";
  const CgroupLayout old = parse_cgroup_mounts(v1);
  EXPECT_EQ(old.mode, CgroupMode::kV1);
  EXPECT_EQ(old.controllers.at("cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(old.controllers.count("pids"), 0U);
  const CgroupLayout hybrid =
      parse_cgroup_mounts(v1 + "34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(hybrid.mode, CgroupMode::kHybrid);
  EXPECT_EQ(hybrid.unified, "/sys/fs/cgroup/unified");
}

TEST(CgroupMounts, SurvivesAnyText) {
  for (const char* text : {"", "\n\n", " - ", "a b c - cgroup", "1 2 3 / /x rw - cgroup cgroup"}) {
    EXPECT_TRUE(parse_cgroup_mounts(text).controllers.empty()) << text;
  }
}

TEST(WeightForShares, CoversTheWholeRange) {
  EXPECT_EQ(weight_for_shares(0), 1U);
  EXPECT_EQ(weight_for_shares(2), 1U);
  EXPECT_EQ(weight_for_shares(1024), 39U);
  EXPECT_EQ(weight_for_shares(262144), 10000U);
  EXPECT_EQ(weight_for_shares(1 << 30), 10000U);
}

struct FailureCase {
  std::string said;
  std::string meant;
};

TEST(ExplainRuntimeFailure, LeavesTheCause) {
  const FailureCase cases[] = {
      {R"({"level":"error","msg":"runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH","time":"t"})",
       R"(exec: "nope": executable file not found in $PATH)"},
      {R"({"msg":"executable file `nope` not found in $PATH: No such file or directory","level":"error"})",
       R"(exec: "nope": executable file not found in $PATH)"},
      {"{\"level\":\"warning\",\"msg\":\"w\"}\n{\"level\":\"error\",\"msg\":\"e\"}\n{\"level\":\"info\","
       "\"msg\":\"i\"}\n",
       "e"},
      {"plain words\n", "plain words"},
      {"", "the container runtime gave no reason"},
      {"{\"level\":3}", "the container runtime gave no reason"},
  };
  for (const FailureCase& each : cases) EXPECT_EQ(explain_runtime_failure(each.said), each.meant);
}

TEST(ProbeHost, FindsARuntimeThatWorksAndRemembersIt) {
  SAMPAN_NEEDS_CONTAINERS();
  const io::TemporaryDirectory work;
  const Host first = probe_host("auto", work.path() / "probe");
  EXPECT_TRUE(first.runtime.is_absolute());
  EXPECT_TRUE(first.conmon.is_absolute());
  const std::string remembered = io::read_file(work.path() / "probe");
  EXPECT_FALSE(remembered.empty());
  EXPECT_EQ(probe_host("auto", work.path() / "probe").runtime, first.runtime);
  EXPECT_EQ(io::read_file(work.path() / "probe"), remembered);
}

TEST(ProbeHost, SaysWhatIsMissing) {
  SAMPAN_NEEDS_CONTAINERS();
  EXPECT_THROW(probe_host("rkt", ""), core::Error);
  if (io::find_program("runsc")) GTEST_SKIP() << "runsc is installed here";
  try {
    probe_host("runsc", "");
    FAIL() << "no error";
  } catch (const core::Error& error) {
    EXPECT_NE(std::string(error.what()).find("runsc is not installed"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sampan::runtime
