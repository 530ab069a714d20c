// What the tests that really run containers share: a root file system of busybox, a runtime, an id nobody
// else has, and a look at what is left afterwards.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "io/executors.h"
#include "io/file.h"
#include "io/subprocess.h"
#include "runtime/host.h"
#include "runtime/spec.h"

namespace sampan::runtime::testing {

namespace fs = std::filesystem;

// Why containers cannot be run here; empty when they can.
inline std::string why_not() {
  if (::geteuid() != 0) return "needs root";
  if (!fs::exists("/bin/busybox")) return "needs busybox (apt-get install busybox-static)";
  if (!io::find_program("conmon")) return "needs conmon";
  if (!io::find_program("runc") && !io::find_program("crun")) return "needs runc or crun";
  return "";
}

inline const Host& host() {
  static const Host probed = probe_host("auto", fmt::format("/tmp/sampan-probe-{}", ::getuid()));
  return probed;
}

inline void make_busybox_root(const fs::path& root) {
  for (const char* directory : {"bin", "etc", "tmp", "proc", "sys", "dev", "root", "home/ann"}) {
    fs::create_directories(root / directory);
  }
  fs::copy_file("/bin/busybox", root / "bin/busybox");
  for (const char* name :
       {"sh",    "cat",      "id",      "env",   "sleep", "echo",  "pwd",    "ls",    "true",
        "false", "kill",     "ps",      "dd",    "tail",  "chmod", "chown",  "mkdir", "touch",
        "stat",  "hostname", "unshare", "mount", "wc",    "test",  "rm",     "cp",    "mv",
        "grep",  "find",     "nc",      "head",  "sort",  "date",  "printf", "ln"}) {
    fs::create_symlink("busybox", root / "bin" / name);
  }
  std::ofstream(root / "etc/passwd") << "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\n";
  std::ofstream(root / "etc/group") << "root:x:0:\nann:x:1001:\nwheel:x:10:ann\nstaff:x:50:\n";
  fs::permissions(root / "tmp", fs::perms::all | fs::perms::sticky_bit);
}

// Executors whose network threads run for the life of the object.
class RunningExecutors {
 public:
  RunningExecutors() : thread_([this] { executors_.run(); }) {}
  ~RunningExecutors() {
    executors_.stop();
    thread_.join();
  }
  io::Executors& get() { return executors_; }

  template <class T>
  T wait(boost::asio::awaitable<T> work) {
    return boost::asio::co_spawn(executors_.net(), std::move(work), boost::asio::use_future).get();
  }

 private:
  io::Executors executors_{1, 4};
  std::thread thread_;
};

inline std::string unique_id(std::string_view word) {
  static std::atomic<int> number{0};
  return fmt::format("t{}-{}-{}", ::getpid(), word, number++);
}

// Lines of the mount table that mention `text`.
inline int mounts_with(std::string_view text) {
  std::ifstream table("/proc/self/mountinfo");
  int count = 0;
  for (std::string line; std::getline(table, line);) count += line.find(text) != std::string::npos ? 1 : 0;
  return count;
}

}  // namespace sampan::runtime::testing

#define SAMPAN_NEEDS_CONTAINERS()                                  \
  do {                                                             \
    const std::string why = ::sampan::runtime::testing::why_not(); \
    if (!why.empty()) GTEST_SKIP() << why;                         \
  } while (false)
