#include "runtime/userns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "core/error.h"
#include "io/file.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;

// A system call without libc: the child below shares our memory *and* this thread's errno.
long raw_syscall(long number, long a, long b) {
#if defined(__x86_64__)
  long result;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(0L) : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = 0;
  register long x3 asm("x3") = 0;
  register long x4 asm("x4") = 0;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "add this processor's system call instruction"
#endif
}

// Holds the new namespaces until it is killed. If the daemon is killed first, so is this.
int hold(void*) {
  raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  while (true) {
    // ppoll(NULL, 0, NULL, NULL): for ever, and unlike pause it exists on every processor.
    raw_syscall(SYS_ppoll, 0, 0);
  }
}

// Every signal stays with the threads that expect it: a handler must not run in the child, on our memory.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

class NamespaceHolder {
 public:
  explicit NamespaceHolder(int namespaces) {
    const BlockedSignals blocked;
    // CLONE_VM: the daemon's page tables are not copied, whatever its size.
    pid_ = ::clone(hold, stack_->data() + stack_->size(), CLONE_VM | namespaces | SIGCHLD, nullptr);
    if (pid_ < 0) throw core::errno_error("make namespaces");
  }
  ~NamespaceHolder() {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  NamespaceHolder(const NamespaceHolder&) = delete;
  NamespaceHolder& operator=(const NamespaceHolder&) = delete;
  fs::path proc() const { return "/proc/" + std::to_string(pid_); }

 private:
  struct alignas(16) Stack : std::array<char, 16384> {};
  std::unique_ptr<Stack> stack_ = std::make_unique<Stack>();
  pid_t pid_ = -1;
};

void put(const fs::path& file, const std::string& text) {
  io::write_all(io::open_file(file, O_WRONLY).get(), text);
}

void pin(const fs::path& source, const fs::path& file) {
  release_namespace(file);
  io::make_directories(file.parent_path());
  io::open_file(file, O_WRONLY | O_CREAT, 0600);
  if (::mount(source.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw core::errno_error("pin a namespace to " + file.string());
  }
}

}  // namespace

void create_user_and_network(const IdRange& ids, const fs::path& user_file, const fs::path& network_file) {
  const NamespaceHolder holder(CLONE_NEWUSER | CLONE_NEWNET);
  const std::string map = fmt::format("0 {} {}", ids.host_base, ids.size);
  put(holder.proc() / "uid_map", map);
  put(holder.proc() / "gid_map", map);
  pin(holder.proc() / "ns/user", user_file);
  pin(holder.proc() / "ns/net", network_file);
}

void create_network(const fs::path& network_file) {
  const NamespaceHolder holder(CLONE_NEWNET);
  pin(holder.proc() / "ns/net", network_file);
}

void release_namespace(const fs::path& file) {
  for (int i = 0; i < 16 && ::umount2(file.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0; ++i) {
  }
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
    throw core::errno_error("remove namespace file " + file.string());
  }
}

}  // namespace sampan::runtime
