#include "runtime/seccomp.h"

#include <boost/json/array.hpp>
#include <cstdint>

#include "core/text.h"

namespace sampan::runtime {
namespace {

namespace json = boost::json;

// Whatever the capabilities.
constexpr std::string_view kAllowed =
    "_llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset "
    "chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 "
    "clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect "
    "copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait "
    "epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat "
    "faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown "
    "fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr "
    "fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue "
    "futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu "
    "getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 "
    "getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 "
    "getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid "
    "getuid32 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy "
    "io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule "
    "landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat listen "
    "listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier "
    "memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 "
    "modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
    "mq_timedsend mq_timedsend_time64 mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock "
    "munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_getfd "
    "pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 "
    "prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 "
    "pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readdir readlink readlinkat readv "
    "recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr rename renameat "
    "renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo "
    "rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
    "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam "
    "sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity "
    "sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop "
    "semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list "
    "set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups "
    "setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid "
    "setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl "
    "shmdt shmget shutdown sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask "
    "sigreturn sigsuspend socketcall socketpair splice stat stat64 statfs statfs64 statx symlink "
    "symlinkat sync sync_file_range syncfs syscall sysinfo tee tgkill time timer_create timer_delete "
    "timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd timerfd_create "
    "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 "
    "ugetrlimit umask uname unlink unlinkat utime utimensat utimensat_time64 utimes vfork wait4 waitid "
    "waitpid write writev ";

struct ByCapability {
  std::string_view capability;
  std::string_view names;
};

constexpr ByCapability kByCapability[] = {
    {"CAP_DAC_READ_SEARCH", "open_by_handle_at"},
    {"CAP_SYS_ADMIN",
     "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
     "move_mount open_tree perf_event_open pivot_root quotactl quotactl_fd setdomainname sethostname setns "
     "syslog umount umount2 unshare"},
    {"CAP_SYS_BOOT", "reboot"},
    {"CAP_SYS_CHROOT", "chroot"},
    {"CAP_SYS_MODULE", "delete_module finit_module init_module"},
    {"CAP_SYS_PACCT", "acct"},
    {"CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise"},
    {"CAP_SYS_RAWIO", "ioperm iopl"},
    {"CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime"},
    {"CAP_SYS_TTY_CONFIG", "vhangup"},
    {"CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy"},
    {"CAP_SYSLOG", "syslog"},
    {"CAP_BPF", "bpf"},
    {"CAP_PERFMON", "perf_event_open"},
};

// CLONE_NEW*: a process without CAP_SYS_ADMIN makes no namespaces, user namespaces least of all. clone3 hides
// its flags behind a pointer, so it "does not exist" there and libc falls back to clone.
constexpr std::uint64_t kNamespaceFlags = 0x7E020000;
constexpr int kEperm = 1;
constexpr int kEnosys = 38;
constexpr std::uint64_t kAfVsock = 40;
// The personalities that Docker allows: Linux, 32-bit, and asking for the present one.
constexpr std::uint64_t kPersonalities[] = {0x0, 0x0008, 0x20000, 0x20008, 0xffffffff};

json::array words(std::string_view text) {
  json::array names;
  for (const std::string& word : core::split(text, ' ')) {
    if (!word.empty()) names.emplace_back(word);
  }
  return names;
}

json::object rule(std::string_view names, std::string_view action) {
  return {{"names", words(names)}, {"action", action}};
}

json::object when(json::object rule, std::uint64_t value, std::string_view op, std::uint64_t value_two = 0) {
  rule["args"] =
      json::array{json::object{{"index", 0}, {"value", value}, {"valueTwo", value_two}, {"op", op}}};
  return rule;
}

bool has(const std::vector<std::string>& capabilities, std::string_view name) {
  return std::find(capabilities.begin(), capabilities.end(), name) != capabilities.end();
}

}  // namespace

json::object render_seccomp(const std::vector<std::string>& capabilities) {
  std::string allowed(kAllowed);
  for (const ByCapability& more : kByCapability) {
    if (has(capabilities, more.capability)) allowed.append(more.names).append(" ");
  }
  json::array rules;
  rules.push_back(rule(allowed, "SCMP_ACT_ALLOW"));
  for (const std::uint64_t value : kPersonalities) {
    rules.push_back(when(rule("personality", "SCMP_ACT_ALLOW"), value, "SCMP_CMP_EQ"));
  }
  // vsock reaches the host's hypervisor past every network rule.
  rules.push_back(when(rule("socket", "SCMP_ACT_ALLOW"), kAfVsock, "SCMP_CMP_NE"));
  if (!has(capabilities, "CAP_SYS_ADMIN")) {
    rules.push_back(when(rule("clone", "SCMP_ACT_ALLOW"), kNamespaceFlags, "SCMP_CMP_MASKED_EQ"));
    json::object absent = rule("clone3", "SCMP_ACT_ERRNO");
    absent["errnoRet"] = kEnosys;
    rules.push_back(std::move(absent));
  }
  json::object profile;
  profile["defaultAction"] = "SCMP_ACT_ERRNO";
  profile["defaultErrnoRet"] = kEperm;
  // The machine's own alone, where Docker adds the 32-bit ones: translating the filter for those costs 9 of
  // the 35 ms of a start, and 32-bit programs are not what Fargate runs. Their calls end the process
  // (SIGSYS).
#if defined(__x86_64__)
  profile["architectures"] = words("SCMP_ARCH_X86_64");
#elif defined(__aarch64__)
  profile["architectures"] = words("SCMP_ARCH_AARCH64");
#endif
  profile["syscalls"] = std::move(rules);
  return profile;
}

}  // namespace sampan::runtime
