// Children: arguments as a vector, no shell, every descriptor but the given ones closed, a deadline and an
// output cap. Blocking: call on the blocking pool.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/file.h"

namespace sampan::io {

struct Command {
  std::vector<std::string> argv;         // argv[0] is looked up in PATH
  std::vector<std::string> environment;  // "K=V"; empty: the caller's
  bool inherit_environment = true;       // false: exactly `environment`
  std::string directory;                 // empty: the caller's
  std::string input;                     // its stdin
  std::chrono::milliseconds timeout{60000};
  std::size_t output_limit = 1024 * 1024;        // of stdout and of stderr; what is beyond is dropped
  std::vector<std::pair<int, int>> inherit_fds;  // our descriptor -> number in the child (3 and up)
};

struct Completed {
  int exit_code = -1;  // when it exited
  int signal = 0;      // when a signal ended it
  bool timed_out = false;
  std::string out;
  std::string err;
  std::chrono::milliseconds allowed{0};  // the command's timeout
  bool ok() const { return exit_code == 0 && signal == 0 && !timed_out; }
  // "exit code 3", "killed by SIGKILL", "timed out after 60s"
  std::string describe() const;
};

// Starts the child and waits for it. Throws core::Error only when it cannot be started.
Completed run(const Command& command);
// run(), and throws core::Error with the command, how it ended and its last stderr line unless ok().
Completed run_or_throw(const Command& command);

// The absolute path of a program in PATH, or nothing.
std::optional<std::string> find_program(const std::string& name);

}  // namespace sampan::io
