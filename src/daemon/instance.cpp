#include "daemon/instance.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/error.h"

namespace sampan::daemon {
namespace {

constexpr unsigned kSearchable = 0711;  // a task's own users walk through to their root, and read nothing else

io::FileLock lock_directory(const std::filesystem::path& directory, const char* flag) {
  io::make_directories(directory, kSearchable);
  try {
    return io::FileLock(directory / "lock");
  } catch (const core::Error& error) {
    if (!std::string_view(error.what()).starts_with("lock ")) throw;
    throw core::Error(directory.string() + " is in use by another sampand (" + error.what() +
                      "): stop that one, or give another " + flag);
  }
}

}  // namespace

InstanceLock::InstanceLock(const Options& options)
    : pid_file_(options.run_dir / "sampand.pid"),
      data_(lock_directory(options.data_dir, "--data-dir")),
      run_(lock_directory(options.run_dir, "--run-dir")) {}

void InstanceLock::write_pid() {
  io::replace_file(pid_file_, std::to_string(::getpid()) + "\n", io::Durability::kProcessCrash);
  wrote_pid_ = true;
}

InstanceLock::~InstanceLock() {
  std::error_code ignored;
  if (wrote_pid_) std::filesystem::remove(pid_file_, ignored);
}

void require_privilege() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  bool known = ::syscall(SYS_capget, &header, data) == 0;
  auto has = [&](int capability) { return (data[capability / 32].effective >> (capability % 32)) & 1U; };
  if (known && has(CAP_SYS_ADMIN) && has(CAP_NET_ADMIN) && has(CAP_CHOWN) && has(CAP_DAC_OVERRIDE)) return;
  throw core::Error("sampand makes namespaces, mounts and networks for tasks and needs root for that: run it as root");
}

}  // namespace sampan::daemon
