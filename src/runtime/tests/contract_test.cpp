// The contract of runtime::Runtime, held by the real one and by the fake; then what only real containers
// show.
#include <gtest/gtest.h>
#include <signal.h>

#include "runtime/cgroup.h"
#include "runtime/fake_runtime.h"
#include "runtime/foreground.h"
#include "runtime/oci_runtime.h"
#include "runtime/overlay.h"
#include "runtime/tests/machine.h"
#include "runtime/userns.h"

namespace sampan::runtime {
namespace {

using namespace testing;

class RuntimeContract : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) SAMPAN_NEEDS_CONTAINERS();
    make_busybox_root(work_.path() / "root");
    if (GetParam()) {
      runtime_ = std::make_unique<OciRuntime>(executors_.get(), host(), work_.path() / "rt");
    } else {
      runtime_ = std::make_unique<FakeRuntime>();
    }
  }
  void TearDown() override {
    if (!runtime_) return;
    for (const ContainerRef& each : made_) runtime_->remove(each);
    EXPECT_TRUE(runtime_->list().empty());
    if (GetParam()) Cgroups(host().cgroups).remove(group_);
  }

  // For the real runtime `command` is a shell's, for the fake its convention.
  ContainerRef make(const std::vector<std::string>& real, const std::vector<std::string>& fake) {
    ContainerSpec spec;
    spec.id = unique_id("c");
    spec.rootfs = work_.path() / "root";
    spec.process.args = GetParam() ? real : fake;
    spec.cgroup_path = group_ + "/" + spec.id;
    made_.push_back({spec.id, work_.path() / spec.id});
    spec_ = spec;
    runtime_->create(spec, made_.back().folder);
    return made_.back();
  }
  std::optional<ExitStatus> wait(const ContainerRef& container) {
    return executors_.wait(runtime_->wait(container));
  }

  io::TemporaryDirectory work_;
  RunningExecutors executors_;
  std::unique_ptr<Runtime> runtime_;
  std::vector<ContainerRef> made_;
  ContainerSpec spec_;
  std::string group_ = "/" + unique_id("sampan");
};

TEST_P(RuntimeContract, GoesFromCreatedToRunningToExited) {
  const ContainerRef c = make({"/bin/sleep", "60"}, {"run"});
  EXPECT_EQ(runtime_->observe(c).state, ContainerState::kCreated);
  runtime_->start(c);
  EXPECT_EQ(runtime_->observe(c).state, ContainerState::kRunning);
  EXPECT_GT(runtime_->observe(c).pid, 0);
  EXPECT_EQ(runtime_->list(), std::vector<std::string>{c.id});
  runtime_->signal(c, SIGKILL);
  EXPECT_EQ(wait(c)->code, 137);
  const Observation seen = runtime_->observe(c);
  EXPECT_EQ(seen.state, ContainerState::kExited);
  EXPECT_FALSE(seen.exit->out_of_memory);
  EXPECT_GT(seen.exit->finished_at.time_since_epoch().count(), 1'700'000'000'000);
}

TEST_P(RuntimeContract, KeepsTheExitCode) {
  const ContainerRef c = make({"/bin/sh", "-c", "exit 3"}, {"exit", "3"});
  runtime_->start(c);
  EXPECT_EQ(wait(c)->code, 3);
  EXPECT_EQ(wait(c)->code, 3);  // again, long after
}

TEST_P(RuntimeContract, RepeatedCallsChangeNothing) {
  const ContainerRef c = make({"/bin/sleep", "60"}, {"run"});
  runtime_->create(spec_, c.folder);
  runtime_->start(c);
  runtime_->start(c);
  const int pid = runtime_->observe(c).pid;
  runtime_->create(spec_, c.folder);
  EXPECT_EQ(runtime_->observe(c).pid, pid);
  runtime_->signal(c, SIGKILL);
  wait(c);
  runtime_->signal(c, SIGTERM);
  runtime_->start(c);
  EXPECT_EQ(runtime_->observe(c).state, ContainerState::kExited);
  runtime_->remove(c);
  runtime_->remove(c);
}

TEST_P(RuntimeContract, RemoveEndsWhatRuns) {
  const ContainerRef c = make({"/bin/sh", "-c", "trap '' TERM; sleep 60"}, {"stubborn"});
  runtime_->start(c);
  runtime_->signal(c, SIGTERM);
  EXPECT_EQ(runtime_->observe(c).state, ContainerState::kRunning);
  runtime_->remove(c);
  EXPECT_TRUE(runtime_->list().empty());
}

TEST_P(RuntimeContract, SaysThatACommandIsMissing) {
  try {
    make({"missing"}, {"missing"});
    FAIL() << "no error";
  } catch (const core::Error& error) {
    EXPECT_EQ(std::string(error.what()), "exec: \"missing\": executable file not found in $PATH");
  }
  EXPECT_TRUE(runtime_->list().empty());
}

TEST_P(RuntimeContract, RefusesAnIdThatIsAPath) {
  ContainerSpec spec;
  spec.rootfs = "/";
  spec.process.args = {"x"};
  for (const char* id : {"", "../x", "a/b", "-x", ".x", "a b"}) {
    spec.id = id;
    EXPECT_THROW(runtime_->create(spec, work_.path() / "x"), core::Error) << id;
  }
}

TEST_P(RuntimeContract, AContainerNobodyMadeIsAbsent) {
  const ContainerRef c{"nobody", work_.path() / "nobody"};
  EXPECT_EQ(runtime_->observe(c).state, ContainerState::kAbsent);
  runtime_->signal(c, SIGTERM);
  runtime_->remove(c);
  EXPECT_FALSE(wait(c).has_value());
}

TEST_P(RuntimeContract, ExecGivesTheExitCodeAndNeedsARunningContainer) {
  const ContainerRef c = make({"/bin/sleep", "60"}, {"run"});
  ExecRequest request;
  request.process.args = {"/bin/true"};
  EXPECT_THROW(executors_.wait(runtime_->exec(c, request)), core::Error);
  runtime_->start(c);
  EXPECT_EQ(executors_.wait(runtime_->exec(c, request)).exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(All, RuntimeContract, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Oci" : "Fake"; });

}  // namespace
}  // namespace sampan::runtime
