#include "io/subprocess.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/text.h"
#include "io/spawn.h"

namespace sampan::io {
namespace {

using core::errno_error;
using Clock = std::chrono::steady_clock;

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw errno_error("make a pipe for a child");
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) != 0) throw errno_error("make a pipe non-blocking");
  return pipe;
}

// A memory file, not a pipe: nothing to feed while the child runs, no SIGPIPE when it does not read, and
// programs may open it again by the name /dev/stdin.
UniqueFd make_input(const std::string& input) {
  if (input.empty()) return open_file("/dev/null", O_RDONLY);
  UniqueFd fd(::memfd_create("child-input", MFD_CLOEXEC));
  if (!fd) throw errno_error("make a child's input");
  write_all(fd.get(), input);
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) throw errno_error("rewind a child's input");
  return fd;
}

// Reads what is there now. False when the writers are gone.
bool drain(int fd, std::string& into, std::size_t limit) {
  char piece[65536];
  while (true) {
    const ssize_t n = ::read(fd, piece, sizeof(piece));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    const std::size_t room = limit - std::min(limit, into.size());
    into.append(piece, std::min(room, static_cast<std::size_t>(n)));
  }
}

struct Output {
  UniqueFd fd;
  std::string& text;
};

int until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void drain_ready(std::vector<Output>& outputs, const pollfd* polls, std::size_t limit) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (polls[i].revents != 0 && !drain(outputs[i].fd.get(), outputs[i].text, limit)) outputs[i].fd.reset();
  }
}

// Until the child has ended. Its end is what counts, not that of its outputs: a daemon that it left behind
// may hold them open for ever. True when the deadline came first.
bool collect(int pidfd, std::vector<Output>& outputs, std::size_t limit, Clock::time_point deadline) {
  while (true) {
    pollfd polls[3];
    for (std::size_t i = 0; i < outputs.size(); ++i) polls[i] = {outputs[i].fd.get(), POLLIN, 0};
    polls[outputs.size()] = {pidfd, POLLIN, 0};
    const int ready = ::poll(polls, outputs.size() + 1, until(deadline));
    if (ready < 0 && errno != EINTR) throw errno_error("wait for a child");
    if (ready > 0) drain_ready(outputs, polls, limit);
    if (ready > 0 && polls[outputs.size()].revents != 0) return false;
    if (ready <= 0 && Clock::now() >= deadline) return true;
  }
}

void reap(pid_t pid, Completed& completed) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw errno_error(fmt::format("wait for process {}", pid));
  }
  if (WIFEXITED(status)) completed.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) completed.signal = WTERMSIG(status);
}

// Kills and reaps the child when waiting for it failed.
class ChildGuard {
 public:
  explicit ChildGuard(pid_t pid) : pid_(pid) {}
  ~ChildGuard() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  void release() { pid_ = -1; }

 private:
  pid_t pid_;
};

std::string_view last_line(std::string_view text) {
  text = core::trim(text);
  const std::size_t start = text.rfind('\n');
  return core::trim(start == std::string_view::npos ? text : text.substr(start + 1));
}

}  // namespace

std::string Completed::describe() const {
  if (timed_out) return fmt::format("timed out after {:g}s", static_cast<double>(allowed.count()) / 1000.0);
  if (signal == 0) return fmt::format("exit code {}", exit_code);
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("killed by SIG{}", name) : fmt::format("killed by signal {}", signal);
}

Completed run(const Command& command) {
  const auto deadline = Clock::now() + command.timeout;
  const UniqueFd input = make_input(command.input);
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const pid_t pid = spawn_child(command, {input.get(), out.write_end.get(), err.write_end.get()});
  ChildGuard guard(pid);
  out.write_end.reset();
  err.write_end.reset();
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) throw errno_error(fmt::format("open a descriptor of child {}", pid));

  Completed completed;
  completed.allowed = command.timeout;
  std::vector<Output> outputs;
  outputs.push_back({std::move(out.read_end), completed.out});
  outputs.push_back({std::move(err.read_end), completed.err});
  completed.timed_out = collect(pidfd.get(), outputs, command.output_limit, deadline);
  if (completed.timed_out) ::kill(-pid, SIGKILL);  // it and what it started
  guard.release();
  reap(pid, completed);
  for (Output& output : outputs) {
    if (output.fd) drain(output.fd.get(), output.text, command.output_limit);
  }
  return completed;
}

Completed run_or_throw(const Command& command) {
  Completed completed = run(command);
  if (completed.ok()) return completed;
  std::string why = completed.describe();
  const std::string_view line = last_line(completed.err);
  if (!line.empty()) why.append(": ").append(line);
  throw core::Error(core::join(command.argv, " "), why);
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (name.find('/') != std::string::npos) {
    return ::access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
  }
  const char* path = std::getenv("PATH");
  for (const std::string& directory :
       core::split(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    // An empty part of PATH means the current directory: not for a daemon.
    if (directory.empty() || directory[0] != '/') continue;
    const std::string candidate = directory + "/" + name;
    std::error_code error;
    if (std::filesystem::is_regular_file(candidate, error) && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace sampan::io
