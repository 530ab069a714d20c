// One container run to its end in the foreground: RUN of a Dockerfile, one-off jobs of the daemon itself. Its
// output goes to a callback, nobody monitors it, and it dies with the call.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "runtime/container.h"
#include "runtime/host.h"

namespace sampan::runtime {

struct ForegroundOptions {
  std::filesystem::path folder;        // made when absent: bundle and runtime log; removed afterwards
  std::filesystem::path runtime_root;  // the OCI runtime's state
  std::chrono::milliseconds timeout{3600 * 1000};
  // Readable means: kill it. -1: cannot be cancelled.
  int cancel_fd = -1;
  // Called with each piece of output, on the calling thread. May be empty.
  std::function<void(OutputStream, std::string_view)> on_output;
};

struct ForegroundResult {
  int exit_code = -1;  // 128+n for signal n
  bool timed_out = false;
  bool cancelled = false;
};

// Blocks until the container has ended and is removed from the runtime (its mounts, processes and cgroup
// too). Throws core::Error when it cannot be started (the cause in a user's words).
ForegroundResult run_foreground(const Host& host, const ContainerSpec& spec,
                                const ForegroundOptions& options);

// Ends and removes every container in `runtime_root`: what a daemon that was killed left running. At start.
void remove_foreground_leftovers(const Host& host, const std::filesystem::path& runtime_root);

}  // namespace sampan::runtime
