#include "node/namespaces.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <thread>

#include "core/error.h"
#include "node/netlink.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

namespace sampan::node {
namespace {

constexpr int kLoopbackIndex = 1;  // of every network namespace

// The child that is born into the new namespaces and only waits. It shares our memory (no page tables are
// copied, whatever the daemon's size), so it touches nothing: two system calls on a stack of its own. Its
// exit signal is none, so that nobody who waits for children sees it.
int wait_for_end(void* end_of_pipe) {
  char byte;
  syscall(SYS_read, static_cast<int>(reinterpret_cast<std::intptr_t>(end_of_pipe)), &byte, 1);
  syscall(SYS_exit, 0);
  return 0;
}

class NewbornProcess {
 public:
  NewbornProcess() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw core::errno_error("make a pipe");
    read_end_ = io::UniqueFd(ends[0]);
    write_end_ = io::UniqueFd(ends[1]);
    auto* argument = reinterpret_cast<void*>(static_cast<std::intptr_t>(ends[0]));
    pid_ =
        clone(wait_for_end, stack_.data() + stack_.size(), CLONE_VM | CLONE_NEWUSER | CLONE_NEWNET, argument);
    if (pid_ < 0) throw core::errno_error("make a user namespace");
  }
  ~NewbornProcess() {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
  NewbornProcess(const NewbornProcess&) = delete;
  NewbornProcess& operator=(const NewbornProcess&) = delete;

  std::string proc(std::string_view name) const { return fmt::format("/proc/{}/{}", pid_, name); }

 private:
  alignas(16) std::array<char, 16384> stack_;
  io::UniqueFd read_end_;
  io::UniqueFd write_end_;
  pid_t pid_ = -1;
};

void write_map(const std::string& path, const IdRange& ids) {
  auto file = io::open_file(path, O_WRONLY);
  io::write_all(file.get(), fmt::format("0 {} {}", ids.base, ids.size));
}

Namespaces make_owned(const IdRange& ids) {
  NewbornProcess child;
  write_map(child.proc("uid_map"), ids);
  write_map(child.proc("gid_map"), ids);
  Namespaces made;
  made.network = io::open_file(child.proc("ns/net"), O_RDONLY);
  made.user = io::open_file(child.proc("ns/user"), O_RDONLY);
  made.ids = ids;
  return made;
}

Namespaces make_plain() {
  Namespaces made;
  std::exception_ptr failure;
  std::thread([&] {
    try {
      if (unshare(CLONE_NEWNET) != 0) throw core::errno_error("make a network namespace");
      made.network = io::open_file("/proc/thread-self/ns/net", O_RDONLY);
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  return made;
}

}  // namespace

Namespaces make_namespaces(std::optional<IdRange> ids) {
  Namespaces made = ids ? make_owned(*ids) : make_plain();
  inside_network(made.network.get(), [] { Netlink().set_up(kLoopbackIndex); });
  return made;
}

void pin_namespace(int fd, const std::filesystem::path& path) {
  io::open_file(path, O_CREAT | O_RDONLY, 0600);
  auto source = fmt::format("/proc/self/fd/{}", fd);
  if (mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw core::errno_error(fmt::format("pin a namespace at {}", path.string()));
  }
}

void unpin_namespace(const std::filesystem::path& path) {
  while (is_pinned(path)) {
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      throw core::errno_error(fmt::format("unpin the namespace at {}", path.string()));
    }
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw core::errno_error(fmt::format("remove {}", path.string()));
  }
}

bool is_pinned(const std::filesystem::path& path) {
  struct statfs facts;
  return statfs(path.c_str(), &facts) == 0 && facts.f_type == NSFS_MAGIC;
}

void inside_network(int network_fd, const std::function<void()>& work) {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      if (setns(network_fd, CLONE_NEWNET) != 0) throw core::errno_error("enter a network namespace");
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sampan::node
