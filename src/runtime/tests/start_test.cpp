#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "core/error.h"
#include "runtime/migration_warmth.h"
#include "runtime/start_fifo.h"
#include "runtime/tests/machine.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;

CgroupLayout hybrid() {
  CgroupLayout layout;
  layout.mode = CgroupMode::kHybrid;
  layout.unified = "/sys/fs/cgroup/unified";
  layout.controllers = {{"pids", "/sys/fs/cgroup/pids"}, {"cpu", "/sys/fs/cgroup/cpu"}};
  return layout;
}

TEST(MigrationFile, IsTheGroupOfAMountedController) {
  EXPECT_EQ(migration_file(hybrid(), "9:name=systemd:/\n8:pids:/a/b\n1:cpu:/\n0::/\n"),
            fs::path("/sys/fs/cgroup/pids/a/b/cgroup.procs"));
  CgroupLayout unified;
  unified.unified = "/sys/fs/cgroup";
  EXPECT_EQ(migration_file(unified, "0::/system.slice/sampand.service\n"),
            fs::path("/sys/fs/cgroup/system.slice/sampand.service/cgroup.procs"));
}

TEST(MigrationFile, IsNoneOutsideOfWhatIsMounted) {
  EXPECT_FALSE(migration_file(hybrid(), "8:pids:/../..\n0::/\n"));
  EXPECT_FALSE(migration_file(hybrid(), ""));
  EXPECT_FALSE(migration_file(hybrid(), "pids\n::\n8:pids:\n"));
}

TEST(MigrationWarmth, LeavesThisProcessWhereItIs) {
  const std::string before = io::read_file("/proc/self/cgroup");
  {
    MigrationWarmth warmth(parse_cgroup_mounts(io::read_file("/proc/self/mountinfo")));
    const MigrationWarmth::Hold first(warmth);
    {
      const MigrationWarmth::Hold second(warmth);
    }
  }
  EXPECT_EQ(io::read_file("/proc/self/cgroup"), before);
}

class StartFifo : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::mkfifo(fifo_.c_str(), 0600), 0); }

  io::TemporaryDirectory folder_;
  const fs::path fifo_ = folder_.path() / "exec.fifo";
  const std::optional<io::PidFd> alive_ = io::PidFd::open(::getpid());
};

TEST_F(StartFifo, LetsTheWriterGoAndRemovesTheFifo) {
  std::thread waiting([this] {
    const io::UniqueFd fd = io::open_file(fifo_, O_WRONLY);  // waits for the reader
    io::write_all(fd.get(), "0");
  });
  EXPECT_TRUE(start_by_fifo(fifo_, alive_));
  waiting.join();
  EXPECT_FALSE(fs::exists(fifo_));
  EXPECT_FALSE(start_by_fifo(fifo_, alive_)) << "started already";
}

TEST_F(StartFifo, SaysWhenTheProcessIsGone) {
  EXPECT_THROW(start_by_fifo(fifo_, std::nullopt), core::Error);
  EXPECT_TRUE(fs::exists(fifo_));
}

}  // namespace
}  // namespace sampan::runtime
