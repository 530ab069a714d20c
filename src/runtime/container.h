// The seam to the container runtime: create, start, signal, watch, exec, delete. OciRuntime
// (oci_runtime.h) is the real one: conmon holds each container's stdio, log and exit status, so that
// containers run on, and their ends are kept, while this daemon is dead or replaced. FakeRuntime
// (fake_runtime.h) keeps them in memory. One contract test runs against both.
//
// A container is named by its id and its folder, which the caller owns and keeps for as long as it wants
// the log and the exit status:
//     <folder>/config.json        the OCI bundle
//     <folder>/ctr.log            stdout and stderr as k8s-file lines: "<RFC 3339 time> stdout F text"
//     <folder>/pid, conmon.pid    the container's first process, its monitor
//     <folder>/processes          those two again, with their start times
//     <folder>/state/<id>         exit code; written by the monitor (its time is finished_at)
//     <folder>/oom, state/oom     the OOM mark
//     <folder>/runtime.log        the OCI runtime's own words
// Order of a tear-down: signal, wait, read Cgroups::usage if the counters are wanted, remove(), unmount the
// root, release the namespaces, remove the task's cgroup, delete the folder. Each step may be repeated.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec.h"

namespace sampan::runtime {

struct ContainerRef {
  std::string id;
  std::filesystem::path folder;  // absolute
};

enum class ContainerState { kAbsent, kCreated, kRunning, kExited };

struct Observation {
  ContainerState state = ContainerState::kAbsent;
  int pid = 0;                     // while created or running
  std::optional<ExitStatus> exit;  // when exited; absent if the monitor was killed and the code is lost
};

enum class OutputStream { kStdout, kStderr };

struct ExecRequest {
  ProcessSpec process;  // env is added to the container's; cwd and user empty: the container's
  std::chrono::milliseconds timeout{60000};
  std::size_t output_limit = 64 * 1024;  // of each stream; what is beyond is dropped
};

struct ExecResult {
  int exit_code = -1;
  bool timed_out = false;  // the process was killed
  std::string out;
  std::string err;
};

// A process in a container with its stdio open, for interactive use. All calls on one executor at a time.
class ExecSession {
 public:
  struct Output {
    OutputStream stream = OutputStream::kStdout;
    std::string bytes;
  };
  virtual ~ExecSession() = default;  // kills the process when it still runs
  // Nothing at the end of the output; then exit_code() answers soon.
  virtual boost::asio::awaitable<std::optional<Output>> read() = 0;
  virtual boost::asio::awaitable<void> write(std::string bytes) = 0;
  virtual void close_input() = 0;
  virtual void resize(int rows, int columns) = 0;
  virtual boost::asio::awaitable<int> exit_code() = 0;
};

// Calls that are no coroutines block: make them on the blocking pool. Everything is idempotent and safe
// for different containers at once.
class Runtime {
 public:
  virtual ~Runtime() = default;

  // Makes the container and leaves it before its first instruction. Throws core::Error with the cause in
  // the words a user knows ('exec: "nope": executable file not found in $PATH'); nothing is left then.
  virtual void create(const ContainerSpec& spec, const std::filesystem::path& folder) = 0;
  // Lets a created container run; a running one stays as it is.
  virtual void start(const ContainerRef& container) = 0;
  virtual Observation observe(const ContainerRef& container) = 0;
  // Ends when the container has exited (at once if it has). Nothing when its code is lost. Also works for
  // containers that another life of this daemon started.
  virtual boost::asio::awaitable<std::optional<ExitStatus>> wait(ContainerRef container) = 0;
  // To its first process; one that is gone is fine.
  virtual void signal(const ContainerRef& container, int signal_number) = 0;
  // Kills whatever still runs, removes it from the runtime and ends the monitor. The folder stays.
  virtual void remove(const ContainerRef& container) = 0;
  // Ids the runtime knows, for recovery.
  virtual std::vector<std::string> list() = 0;

  virtual boost::asio::awaitable<ExecResult> exec(ContainerRef container, ExecRequest request) = 0;
  virtual boost::asio::awaitable<std::unique_ptr<ExecSession>> open_exec(ContainerRef container,
                                                                         ProcessSpec process) = 0;
};

}  // namespace sampan::runtime
