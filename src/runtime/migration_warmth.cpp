#include "runtime/migration_warmth.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "io/file.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::milliseconds kPace{2};

// Read anew each time: somebody may have moved us, and that must stay as it is.
void touch(const CgroupLayout& layout) {
  try {
    const auto file = migration_file(layout, io::read_file("/proc/self/cgroup"));
    if (!file) return;
    const io::UniqueFd fd(::open(file->c_str(), O_WRONLY | O_CLOEXEC));
    // Whether it may be written matters to nobody: starts are slower then, that is all.
    if (fd) [[maybe_unused]]
      const ssize_t ignored = ::write(fd.get(), "0", 1);
  } catch (const core::Error&) {
    return;
  }
}

}  // namespace

std::optional<fs::path> migration_file(const CgroupLayout& layout, std::string_view proc_cgroup) {
  for (const std::string& line : core::split(proc_cgroup, '\n')) {
    const auto fields = core::split(line, ':');  // "8:pids:/path", "0::/path"
    if (fields.size() != 3 || fields[2].empty() || fields[2][0] != '/') continue;
    if (fields[2].find("..") != std::string::npos) continue;
    const fs::path below = fields[2].substr(1);
    const auto mounted = layout.controllers.find(fields[1]);
    if (mounted != layout.controllers.end()) return mounted->second / below / "cgroup.procs";
    const bool unified = layout.mode == CgroupMode::kV2 && fields[1].empty() && !layout.unified.empty();
    if (unified) return layout.unified / below / "cgroup.procs";
  }
  return std::nullopt;
}

MigrationWarmth::MigrationWarmth(CgroupLayout layout) : layout_(std::move(layout)) {}

MigrationWarmth::~MigrationWarmth() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MigrationWarmth::work() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    if (holds_ == 0) {
      changed_.wait(lock);
      continue;
    }
    lock.unlock();
    touch(layout_);
    lock.lock();
    changed_.wait_for(lock, kPace, [this] { return closing_; });
  }
}

MigrationWarmth::Hold::Hold(MigrationWarmth& warmth) : warmth_(warmth) {
  const std::scoped_lock lock(warmth_.mutex_);
  if (!warmth_.thread_.joinable()) {
    // Signals are for the threads that wait for them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    warmth_.thread_ = std::thread([&warmth] { warmth.work(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  if (warmth_.holds_++ == 0) warmth_.changed_.notify_all();
}

MigrationWarmth::Hold::~Hold() {
  const std::scoped_lock lock(warmth_.mutex_);
  --warmth_.holds_;
}

}  // namespace sampan::runtime
