#include "runtime/conmon.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>

#include "core/error.h"
#include "core/text.h"
#include "io/subprocess.h"
#include "runtime/oci_runtime.h"

namespace sampan::runtime {
namespace {

namespace json = boost::json;
constexpr int kSyncFd = 3;   // conmon writes {"data": PID} or {"data": -1, "message": "…"}
constexpr int kStartFd = 4;  // and waits for a byte here before it forks
constexpr auto kCreateTimeout = std::chrono::seconds(60);

struct Pipe {
  io::UniqueFd read_end;
  io::UniqueFd write_end;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw core::errno_error("make a pipe for conmon");
  return {io::UniqueFd(ends[0]), io::UniqueFd(ends[1])};
}

io::Command conmon_command(const Host& host, const ContainerFiles& files, const MonitorRequest& request) {
  io::Command command;
  command.argv = {host.conmon.string(),
                  "--api-version",
                  "1",
                  "-c",
                  request.id,
                  "-u",
                  request.id,
                  "-r",
                  host.runtime.string(),
                  "-b",
                  files.folder().string(),
                  "-p",
                  files.pid().string(),
                  "-P",
                  files.monitor_pid().string(),
                  "-l",
                  "k8s-file:" + files.log().string(),
                  "--exit-dir",
                  files.state().string(),
                  "--persist-dir",
                  files.state().string(),
                  "--socket-dir-path",
                  request.socket_directory.string(),
                  "--log-level",
                  "error"};
  for (const std::string& argument : request.runtime_arguments) {
    command.argv.push_back("--runtime-arg=" + argument);
  }
  if (request.terminal) command.argv.push_back("-t");
  if (request.keep_stdin_open) command.argv.push_back("-i");
  // The OOM mark is written to the working directory as well.
  command.directory = files.folder().string();
  command.timeout = kCreateTimeout;
  return command;
}

// One line from the pipe; what has come when the writer ended or time was up, else.
std::string read_line(int fd, std::chrono::steady_clock::time_point deadline) {
  std::string line;
  while (line.find('\n') == std::string::npos && line.size() < 64 * 1024) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return line;
    char piece[4096];
    const ssize_t size = ::read(fd, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return line;
    line.append(piece, static_cast<std::size_t>(size));
  }
  return line;
}

struct Answer {
  int pid = -1;
  std::string message;
};

Answer parse_answer(const std::string& line) {
  boost::system::error_code error;
  const json::value parsed = json::parse(core::trim(line), error);
  Answer answer;
  if (error || !parsed.is_object()) return answer;
  const json::object& object = parsed.as_object();
  for (const char* key : {"data", "pid"}) {
    const json::value* pid = object.if_contains(key);
    if (pid != nullptr && pid->is_int64()) answer.pid = static_cast<int>(pid->as_int64());
  }
  const json::value* message = object.if_contains("message");
  if (message != nullptr && message->is_string()) answer.message = std::string(message->as_string());
  return answer;
}

io::ProcessIdentity monitor_identity(const ContainerFiles& files) {
  const std::string text = io::read_file_if_exists(files.monitor_pid()).value_or("");
  const auto pid = core::parse_int(core::trim(text));
  const auto identity = pid ? io::identify_process(static_cast<pid_t>(*pid)) : std::nullopt;
  return identity.value_or(io::ProcessIdentity{});
}

}  // namespace

ContainerProcesses start_monitor(const Host& host, const ContainerFiles& files,
                                 const MonitorRequest& request) {
  const auto deadline = std::chrono::steady_clock::now() + kCreateTimeout;
  Pipe sync = make_pipe();
  Pipe start = make_pipe();
  io::Command command = conmon_command(host, files, request);
  // Nothing of ours: runc passes NOTIFY_SOCKET and LISTEN_FDS on to the container.
  command.inherit_environment = false;
  command.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         fmt::format("_OCI_SYNCPIPE={}", kSyncFd),
                         fmt::format("_OCI_STARTPIPE={}", kStartFd)};
  command.inherit_fds = {{sync.write_end.get(), kSyncFd}, {start.read_end.get(), kStartFd}};
  // Before waiting for it: conmon wants this byte before it forks into the background.
  io::write_all(start.write_end.get(), "x");
  io::run_or_throw(command);
  sync.write_end.reset();
  start.read_end.reset();

  const Answer answer = parse_answer(read_line(sync.read_end.get(), deadline));
  if (answer.pid <= 0) {
    const std::string log = io::read_file_if_exists(files.runtime_log()).value_or("");
    throw core::Error(explain_runtime_failure(log.empty() ? answer.message : log));
  }
  const auto first = io::identify_process(answer.pid);
  return {first.value_or(io::ProcessIdentity{answer.pid, 0}), monitor_identity(files)};
}

}  // namespace sampan::runtime
