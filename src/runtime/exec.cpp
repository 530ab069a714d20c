#include "runtime/exec.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/json.hpp>
#include <cerrno>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "io/pidfd.h"
#include "io/spawn.h"
#include "runtime/oci_runtime.h"

namespace sampan::runtime {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;

struct Child {
  pid_t pid = -1;
  io::UniqueFd out;
  io::UniqueFd err;
};

// Reads until it is cancelled: the end of a stream is not the end of the process.
io::Awaitable<void> collect(asio::posix::stream_descriptor& from, std::string& into, std::size_t limit) {
  char piece[16384];
  while (true) {
    boost::system::error_code error;
    const std::size_t size =
        co_await from.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    into.append(piece, std::min(size, limit - std::min(limit, into.size())));
  }
  while (true) co_await io::sleep_for(std::chrono::hours(1));
}

// What was written before the end but not read yet.
void drain(int fd, std::string& into, std::size_t limit) {
  char piece[16384];
  ssize_t size = 0;
  while ((size = ::read(fd, piece, sizeof piece)) > 0 || (size < 0 && errno == EINTR)) {
    if (size > 0)
      into.append(piece, std::min(static_cast<std::size_t>(size), limit - std::min(limit, into.size())));
  }
}

Child spawn(const ExecPlace& place, const json::object& process) {
  io::make_directories(place.folder, 0700);
  io::replace_file(place.folder / "process.json", json::serialize(process), io::Durability::kProcessCrash,
                   0600);
  io::Command command;
  command.argv = place.runtime_command;
  for (std::string argument : {"--log=" + (place.folder / "log").string(), std::string("--log-format=json"),
                               std::string("exec"), "--process=" + (place.folder / "process.json").string(),
                               "--pid-file=" + (place.folder / "pid").string(), place.container.id}) {
    command.argv.push_back(std::move(argument));
  }
  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0) throw core::errno_error("make a pipe for exec");
  Child child;
  child.out = io::UniqueFd(out[0]);
  const io::UniqueFd out_write(out[1]);
  if (::pipe2(err, O_CLOEXEC) != 0) throw core::errno_error("make a pipe for exec");
  child.err = io::UniqueFd(err[0]);
  const io::UniqueFd err_write(err[1]);
  for (const int fd : {out[0], err[0]}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  const io::UniqueFd input = io::open_file("/dev/null", O_RDONLY);
  child.pid = io::spawn_child(command, {input.get(), out[1], err[1]});
  return child;
}

// The process and its group inside the container, then the runtime's program, which only waits for it.
void kill_exec(const ExecPlace& place, pid_t runtime_pid) {
  const std::string text = io::read_file_if_exists(place.folder / "pid").value_or("");
  const auto inside = core::parse_int(core::trim(text));
  if (inside && *inside > 1) {
    ::kill(-static_cast<pid_t>(*inside), SIGKILL);
    ::kill(static_cast<pid_t>(*inside), SIGKILL);
  }
  ::kill(-runtime_pid, SIGKILL);
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The runtime failed before there was a process: shells' codes for "not found" and "cannot run".
void explain(const ExecPlace& place, ExecResult& result) {
  if (result.exit_code == 0 || result.timed_out) return;
  const std::string log = io::read_file_if_exists(place.folder / "log").value_or("");
  if (log.find("\"error\"") == std::string::npos) return;
  result.err = explain_runtime_failure(log);
  const bool absent = result.err.find("not found") != std::string::npos ||
                      result.err.find("no such file") != std::string::npos;
  result.exit_code = absent ? 127 : 126;
}

io::Awaitable<ExecResult> supervise(const ExecPlace& place, Child& child, const ExecRequest& request) {
  using namespace asio::experimental::awaitable_operators;
  const auto executor = co_await asio::this_coro::executor;
  ExecResult result;
  asio::posix::stream_descriptor out(executor, ::fcntl(child.out.get(), F_DUPFD_CLOEXEC, 3));
  asio::posix::stream_descriptor err(executor, ::fcntl(child.err.get(), F_DUPFD_CLOEXEC, 3));
  const auto process = io::PidFd::open(child.pid);
  if (process) {
    // All on our own strand: Boost 1.81 ends the process when a side of `||` that runs elsewhere is cancelled.
    const auto first = co_await (process->wait_exit() || io::sleep_for(request.timeout) ||
                                 collect(out, result.out, request.output_limit) ||
                                 collect(err, result.err, request.output_limit));
    result.timed_out = first.index() == 1;
  }
  if (result.timed_out) kill_exec(place, child.pid);
  if (result.timed_out && process) co_await process->wait_exit();
  result.exit_code = reap(std::exchange(child.pid, -1));
  drain(child.out.get(), result.out, request.output_limit);
  drain(child.err.get(), result.err, request.output_limit);
  co_return result;
}

// Ends and reaps the child if supervising it did not (an exception, a cancelled coroutine).
struct ChildGuard {
  const ExecPlace& place;
  Child& child;
  ~ChildGuard() {
    if (child.pid > 0) {
      kill_exec(place, child.pid);
      reap(child.pid);
    }
    std::error_code ignored;
    fs::remove_all(place.folder, ignored);
  }
};

io::Awaitable<ExecResult> on_own_strand(io::Executors& executors, ExecPlace place, json::object process,
                                        ExecRequest request) {
  Child child;
  const ChildGuard guard{place, child};
  const auto start = [&place, &process] { return spawn(place, process); };
  child = co_await io::offload(executors, start);
  ExecResult result = co_await supervise(place, child, request);
  explain(place, result);
  co_return result;
}

std::string environment_name(const json::value& entry) {
  const std::string text(entry.as_string());
  return text.substr(0, text.find('='));
}

}  // namespace

json::object merge_exec_process(const json::object& container_process, const json::object& wanted,
                                const ProcessSpec& spec) {
  json::object merged = container_process;
  merged["args"] = wanted.at("args");
  merged["terminal"] = spec.terminal;
  if (!spec.cwd.empty() && spec.cwd != "/") merged["cwd"] = spec.cwd;
  if (!spec.user.empty()) merged["user"] = wanted.at("user");
  json::array& environment = merged["env"].as_array();
  for (const std::string& entry : spec.env) {
    const std::string name = entry.substr(0, entry.find('='));
    environment.erase(
        std::remove_if(environment.begin(), environment.end(),
                       [&name](const json::value& old) { return environment_name(old) == name; }),
        environment.end());
    environment.emplace_back(entry);
  }
  return merged;
}

io::Awaitable<ExecResult> run_exec(io::Executors& executors, ExecPlace place, json::object process,
                                   ExecRequest request) {
  const auto strand = asio::make_strand(executors.net());
  auto work = on_own_strand(executors, std::move(place), std::move(process), std::move(request));
  co_return co_await asio::co_spawn(strand, std::move(work), asio::use_awaitable);
}

}  // namespace sampan::runtime
