// What only real containers show: limits, identity, isolation, logs, and that nothing is left.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "runtime/cgroup.h"
#include "runtime/foreground.h"
#include "runtime/oci_runtime.h"
#include "runtime/overlay.h"
#include "runtime/tests/machine.h"
#include "runtime/userns.h"

namespace sampan::runtime {
namespace {

using namespace testing;
constexpr std::int64_t kMiB = 1024 * 1024;

class RealContainer : public ::testing::Test {
 protected:
  void SetUp() override {
    SAMPAN_NEEDS_CONTAINERS();
    make_busybox_root(work_.path() / "root");
    runtime_ = std::make_unique<OciRuntime>(executors_.get(), host(), work_.path() / "rt");
    cgroups_ = std::make_unique<Cgroups>(host().cgroups);
    group_ = "/" + unique_id("sampan");
  }
  void TearDown() override {
    if (!runtime_) return;
    for (const ContainerRef& each : made_) runtime_->remove(each);
    cgroups_->remove(group_);
    EXPECT_EQ(mounts_with(work_.path().string()), 0);
    EXPECT_TRUE(cgroups_->children(group_).empty());
  }

  ContainerSpec shell(const std::string& script) {
    ContainerSpec spec;
    spec.id = unique_id("c");
    spec.rootfs = work_.path() / "root";
    spec.process.args = {"/bin/sh", "-c", script};
    spec.cgroup_path = group_ + "/" + spec.id;
    return spec;
  }
  ContainerRef start(const ContainerSpec& spec) {
    made_.push_back({spec.id, work_.path() / spec.id});
    runtime_->create(spec, made_.back().folder);
    runtime_->start(made_.back());
    return made_.back();
  }
  std::optional<ExitStatus> wait(const ContainerRef& container) {
    return executors_.wait(runtime_->wait(container));
  }
  // Runs to the end; the log's texts, each line ended by '\n'.
  std::string output(const ContainerSpec& spec) {
    const ContainerRef c = start(spec);
    wait(c);
    return texts(c);
  }
  static std::string texts(const ContainerRef& container) {
    std::ifstream log(container.folder / "ctr.log");
    std::string all;
    for (std::string line; std::getline(log, line);) {
      std::size_t at = 0;
      for (int field = 0; field < 3; ++field) at = line.find(' ', at) + 1;
      all += line.substr(at) + "\n";
    }
    return all;
  }
  ExecResult exec(const ContainerRef& c, const std::string& script, std::chrono::milliseconds timeout) {
    ExecRequest request;
    request.process.args = {"/bin/sh", "-c", script};
    request.timeout = timeout;
    return executors_.wait(runtime_->exec(c, request));
  }

  io::TemporaryDirectory work_;
  RunningExecutors executors_;
  std::unique_ptr<OciRuntime> runtime_;
  std::unique_ptr<Cgroups> cgroups_;
  std::vector<ContainerRef> made_;
  std::string group_;
};

TEST_F(RealContainer, RunsAsItsUserInItsDirectoryWithItsEnvironment) {
  ContainerSpec spec = shell("id -u; id -g; pwd; echo $HOME $GREETING; echo oops >&2");
  spec.process.user = "ann";
  spec.process.cwd = "/tmp";
  spec.process.env = {"GREETING=xin chao"};
  EXPECT_EQ(output(spec), "1000\n1001\n/tmp\n/home/ann xin chao\noops\n");
}

TEST_F(RealContainer, HasTheHostnameItWasGivenAndTheDefaultCapabilitiesOnly) {
  ContainerSpec spec = shell("hostname; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status");
  spec.hostname = "boat";
  const std::string text = output(spec);
  EXPECT_NE(text.find("boat\n"), std::string::npos);
  EXPECT_NE(text.find("CapEff:\t00000000800405fb"), std::string::npos) << text;
  EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(text.find("Seccomp:\t2"), std::string::npos);
}

TEST_F(RealContainer, IsDeniedNamespacesMountsDevicesAndKernelSettings) {
  const std::string text = output(
      shell("unshare -U true 2>/dev/null && echo unshared; mount -t tmpfs x /tmp 2>/dev/null && echo mounted;"
            "echo 1 2>/dev/null > /proc/sys/kernel/panic && echo set; cat /proc/kcore 2>/dev/null | head -c "
            "1 | wc -c;"
            "touch /sys/x 2>/dev/null && echo sys; echo end"));
  EXPECT_EQ(text, "0\nend\n");
}

TEST_F(RealContainer, ReadOnlyRootRefusesWrites) {
  ContainerSpec spec = shell("touch /x 2>/dev/null || echo no; touch /dev/shm/x && echo shm");
  spec.read_only_root = true;
  EXPECT_EQ(output(spec), "no\nshm\n");
}

TEST_F(RealContainer, SeesItsMounts) {
  std::ofstream(work_.path() / "note") << "ahoy\n";
  ContainerSpec spec =
      shell("cat /data/note; echo x 2>/dev/null > /data/note || echo ro; touch /scratch/y && echo rw");
  spec.mounts = {{(work_.path() / "note").string(), "/data/note", "bind", {"ro"}},
                 {"tmpfs", "/scratch", "tmpfs", {"size=1m"}}};
  EXPECT_EQ(output(spec), "ahoy\nro\nrw\n");
}

TEST_F(RealContainer, MemoryHogIsKilledAndMarked) {
  ContainerSpec spec = shell("exec tail -c 200m /dev/zero");
  spec.resources.memory_bytes = 16 * kMiB;
  const ContainerRef c = start(spec);
  const auto status = wait(c);
  EXPECT_EQ(status->code, 137);
  EXPECT_TRUE(status->out_of_memory);
  EXPECT_GE(cgroups_->usage(spec.cgroup_path).oom_kills, 1U);
}

TEST_F(RealContainer, TheTasksLimitHoldsForItsContainers) {
  Resources task;
  task.memory_bytes = 16 * kMiB;
  task.pids = 20;
  cgroups_->create(group_, task);
  const ContainerRef c = start(shell("exec tail -c 200m /dev/zero"));
  EXPECT_EQ(wait(c)->code, 137);
  EXPECT_EQ(cgroups_->usage(group_).memory_limit_bytes, static_cast<std::uint64_t>(16 * kMiB));
  EXPECT_EQ(cgroups_->children(group_).size(), 1U);
}

TEST_F(RealContainer, AKilledChildIsNoOutOfMemoryErrorOfTheContainer) {
  ContainerSpec spec = shell("tail -c 200m /dev/zero; exit 5");
  spec.resources.memory_bytes = 16 * kMiB;
  const auto status = wait(start(spec));
  EXPECT_EQ(status->code, 5);
  EXPECT_FALSE(status->out_of_memory);
}

TEST_F(RealContainer, CountsCpuAndMemory) {
  const ContainerRef c = start(shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 60"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (cgroups_->usage(group_ + "/" + c.id).cpu_nanoseconds == 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
  const CgroupUsage usage = cgroups_->usage(group_ + "/" + c.id);
  EXPECT_GT(usage.memory_bytes, 0U);
  EXPECT_GE(usage.pids, 1U);
}

TEST_F(RealContainer, IsSeenByAnotherLifeOfTheDaemon) {
  const ContainerRef lives = start(shell("sleep 60"));
  const ContainerRef ends = start(shell("exit 4"));
  OciRuntime reborn(executors_.get(), host(), work_.path() / "rt");
  EXPECT_EQ(reborn.observe(lives).state, ContainerState::kRunning);
  EXPECT_EQ(executors_.wait(reborn.wait(ends))->code, 4);
  EXPECT_EQ(reborn.list().size(), 2U);
  reborn.signal(lives, SIGKILL);
  EXPECT_EQ(executors_.wait(reborn.wait(lives))->code, 137);
}

TEST_F(RealContainer, LosesItsCodeButNotItsEndWhenTheMonitorIsKilled) {
  const ContainerRef c = start(shell("sleep 60"));
  const int monitor = std::stoi(io::read_file(c.folder / "conmon.pid"));
  ASSERT_EQ(::kill(monitor, SIGKILL), 0);
  EXPECT_EQ(runtime_->observe(c).state, ContainerState::kRunning);
  runtime_->signal(c, SIGKILL);
  EXPECT_FALSE(wait(c).has_value());
  EXPECT_EQ(runtime_->observe(c).state, ContainerState::kExited);
}

TEST_F(RealContainer, ExecSeesTheContainerAndItsOutputIsBounded) {
  const ContainerRef c = start(shell("sleep 60"));
  const ExecResult result =
      exec(c, "echo out; echo err >&2; cat /proc/1/cmdline | head -c 5; exit 7", std::chrono::seconds(20));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.out, "out\nsleep");
  EXPECT_EQ(result.err, "err\n");
  const ExecResult big = exec(c, "dd if=/dev/zero bs=1M count=4 2>/dev/null", std::chrono::seconds(20));
  EXPECT_EQ(big.out.size(), 64U * 1024);
  EXPECT_EQ(runtime_->observe(c).state, ContainerState::kRunning);
}

TEST_F(RealContainer, ExecOfAMissingProgramSaysSo) {
  const ContainerRef c = start(shell("sleep 60"));
  ExecRequest request;
  request.process.args = {"nope"};
  const ExecResult result = executors_.wait(runtime_->exec(c, request));
  EXPECT_EQ(result.exit_code, 127);
  EXPECT_EQ(result.err, "exec: \"nope\": executable file not found in $PATH");
}

TEST_F(RealContainer, ExecThatTakesTooLongIsKilledInside) {
  const ContainerRef c = start(shell("sleep 60"));
  const ExecResult result = exec(c, "sleep 55 & sleep 55", std::chrono::milliseconds(300));
  EXPECT_TRUE(result.timed_out);
  const auto left = cgroups_->processes(group_ + "/" + c.id);
  EXPECT_EQ(left.size(), 1U);  // its first process only
  EXPECT_FALSE(fs::exists(c.folder / "exec-0"));
}

TEST_F(RealContainer, InAUserNamespaceRootIsNobodyOutsideAndBindsPort80) {
  // The runtime walks to the root file system as the mapped root: every folder above must let it pass.
  fs::permissions(work_.path(), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  const fs::path user = work_.path() / "ns/user";
  const fs::path net = work_.path() / "ns/net";
  create_user_and_network({200000, 65536}, user, net);
  OverlaySpec overlay;
  overlay.lowers = {work_.path() / "root"};
  overlay.upper = work_.path() / "upper";
  overlay.work = work_.path() / "work";
  overlay.target = work_.path() / "merged";
  overlay.user_namespace = user;
  overlay.owner_uid = overlay.owner_gid = 200000;
  mount_overlay(overlay);

  ContainerSpec spec =
      shell("id -u; touch /made; stat -c %u /bin/busybox; nc -l -p 80 & sleep 0.2; kill $! && echo bound");
  spec.rootfs = overlay.target;
  spec.user_namespace = UserNamespace{user, 200000, 65536};
  spec.network_namespace = net;
  spec.hostname = "boat";
  EXPECT_EQ(output(spec), "0\n0\nbound\n");
  struct stat made{};
  ASSERT_EQ(::stat((overlay.upper / "made").c_str(), &made), 0);
  EXPECT_EQ(made.st_uid, 200000U);
  runtime_->remove(made_.back());
  unmount(overlay.target);
  release_namespace(net);
  release_namespace(user);
  release_namespace(user);
  EXPECT_FALSE(fs::exists(net));
}

TEST_F(RealContainer, KillAllEndsAForkBomb) {
  Resources task;
  task.pids = 200;
  cgroups_->create(group_, task);
  start(shell("f() { f & f & sleep 60; }; f"));
  cgroups_->kill_all(group_);
  EXPECT_TRUE(cgroups_->processes(group_).empty());
}

class Foreground : public RealContainer {
 protected:
  ForegroundOptions options() {
    ForegroundOptions made;
    made.folder = work_.path() / "fg";
    made.runtime_root = work_.path() / "fg-root";
    made.on_output = [this](OutputStream stream, std::string_view text) {
      (stream == OutputStream::kStdout ? out_ : err_).append(text);
    };
    return made;
  }
  std::string out_;
  std::string err_;
};

TEST_F(Foreground, StreamsOutputAndGivesTheCode) {
  const ForegroundResult result = run_foreground(host(), shell("echo a; echo b >&2; exit 6"), options());
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_EQ(out_, "a\n");
  EXPECT_EQ(err_, "b\n");
  EXPECT_FALSE(fs::exists(work_.path() / "fg"));
  EXPECT_TRUE(fs::is_empty(work_.path() / "fg-root"));
}

TEST_F(Foreground, EndsAtItsTimeout) {
  ForegroundOptions limited = options();
  limited.timeout = std::chrono::milliseconds(400);
  const ForegroundResult result = run_foreground(host(), shell("sleep 60 & sleep 60"), limited);
  EXPECT_TRUE(result.timed_out);
  EXPECT_TRUE(fs::is_empty(work_.path() / "fg-root"));
}

TEST_F(Foreground, EndsWhenCancelled) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const io::UniqueFd read_end(ends[0]);
  io::UniqueFd write_end(ends[1]);
  ForegroundOptions cancellable = options();
  cancellable.cancel_fd = ends[0];
  cancellable.on_output = [&write_end](OutputStream, std::string_view) {
    if (write_end) io::write_all(write_end.get(), "x");
    write_end.reset();
  };
  const ForegroundResult result = run_foreground(host(), shell("echo up; sleep 60"), cancellable);
  EXPECT_TRUE(result.cancelled);
  EXPECT_TRUE(fs::is_empty(work_.path() / "fg-root"));
}

TEST_F(Foreground, ThrowsWhenItCannotStart) {
  ContainerSpec spec = shell("");
  spec.process.args = {"nope"};
  EXPECT_THROW(run_foreground(host(), spec, options()), core::Error);
  EXPECT_FALSE(fs::exists(work_.path() / "fg"));
}

TEST_F(Foreground, LeftoversOfAKilledDaemonAreRemoved) {
  const ContainerSpec spec = shell("sleep 60");
  // As the runtime's own program would be left: a container in that root, its starter gone.
  const fs::path bundle = work_.path() / "left";
  ForegroundOptions where = options();
  std::thread run([&] {
    try {
      run_foreground(host(), spec, where);
    } catch (const core::Error&) {
    }
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (cgroups_->processes(spec.cgroup_path).empty()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
  remove_foreground_leftovers(host(), where.runtime_root);
  run.join();
  EXPECT_TRUE(fs::is_empty(where.runtime_root));
}

}  // namespace
}  // namespace sampan::runtime
