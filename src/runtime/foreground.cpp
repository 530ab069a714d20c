#include "runtime/foreground.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "io/spawn.h"
#include "runtime/bundle.h"
#include "runtime/container_files.h"
#include "runtime/oci_runtime.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Pipe {
  io::UniqueFd read_end;
  io::UniqueFd write_end;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw core::errno_error("make a pipe for a container");
  Pipe pipe{io::UniqueFd(ends[0]), io::UniqueFd(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return pipe;
}

class ForegroundRun {
 public:
  ForegroundRun(const Host& host, const ContainerSpec& spec, const ForegroundOptions& options)
      : host_(host), spec_(spec), options_(options) {}
  ForegroundRun(const ForegroundRun&) = delete;
  ForegroundRun& operator=(const ForegroundRun&) = delete;
  ~ForegroundRun() { clean_up(); }

  ForegroundResult run() {
    write_bundle();
    start();
    watch();
    result_.exit_code = reap();
    pump(0);
    pump(1);
    throw_if_never_started();
    return result_;
  }

 private:
  fs::path log() const { return options_.folder / "runtime.log"; }
  fs::path pid_file() const { return options_.folder / "pid"; }

  std::vector<std::string> command(std::vector<std::string> rest) const {
    std::vector<std::string> argv = {host_.runtime.string(), "--root=" + options_.runtime_root.string(),
                                     "--log=" + log().string(), "--log-format=json"};
    argv.insert(argv.end(), rest.begin(), rest.end());
    return argv;
  }

  void write_bundle() {
    io::make_directories(options_.folder, 0700);
    io::make_directories(options_.runtime_root, 0700);
    const ResolvedUser user =
        resolve_user_in(spec_.rootfs, spec_.process.user, spec_.process.additional_groups);
    const auto config = render_config(spec_, user, host_);
    io::replace_file(options_.folder / "config.json", boost::json::serialize(config),
                     io::Durability::kProcessCrash, 0600);
  }

  void start() {
    io::Command run;
    run.argv = command(
        {"run", "--bundle=" + options_.folder.string(), "--pid-file=" + pid_file().string(), spec_.id});
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    const io::UniqueFd input = io::open_file("/dev/null", O_RDONLY);
    pid_ = io::spawn_child(run, {input.get(), out.write_end.get(), err.write_end.get()});
    outputs_ = {std::move(out.read_end), std::move(err.read_end)};
    pidfd_ = io::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) throw core::errno_error("watch a container");
  }

  // Until the runtime's program has ended: it ends with the container's first process.
  void watch() {
    const auto deadline = Clock::now() + options_.timeout;
    while (true) {
      std::array<pollfd, 4> polls{{{outputs_[0].get(), POLLIN, 0},
                                   {outputs_[1].get(), POLLIN, 0},
                                   {pidfd_.get(), POLLIN, 0},
                                   {killed_ ? -1 : options_.cancel_fd, POLLIN, 0}}};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      const int wait = killed_ ? 1000 : static_cast<int>(std::clamp<std::int64_t>(left, 0, 3600 * 1000));
      const int ready = ::poll(polls.data(), polls.size(), wait);
      if (ready < 0 && errno != EINTR) throw core::errno_error("wait for a container");
      for (std::size_t i = 0; i < 2; ++i) {
        if (polls[i].revents != 0) pump(i);
      }
      if (polls[2].revents != 0) return;
      if (polls[3].revents != 0) result_.cancelled = true;
      if (!killed_ && Clock::now() >= deadline) result_.timed_out = true;
      // Again each second: the container may not have had its pid file yet.
      if (result_.cancelled || result_.timed_out) kill_container();
    }
  }

  void pump(std::size_t index) {
    char piece[32768];
    while (outputs_[index]) {
      const ssize_t size = ::read(outputs_[index].get(), piece, sizeof piece);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return;
      if (size == 0) return outputs_[index].reset();
      const OutputStream stream = index == 0 ? OutputStream::kStdout : OutputStream::kStderr;
      if (options_.on_output) options_.on_output(stream, {piece, static_cast<std::size_t>(size)});
    }
  }

  void kill_container() {
    killed_ = true;
    const std::string text = io::read_file_if_exists(pid_file()).value_or("");
    const auto first = core::parse_int(core::trim(text));
    // Process 1 of its namespace: all others go with it. The runtime's program then ends by itself.
    if (first && *first > 1) {
      ::kill(static_cast<pid_t>(*first), SIGKILL);
    } else {
      ::kill(-pid_, SIGKILL);
    }
  }

  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) throw core::errno_error("wait for a container");
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  void throw_if_never_started() const {
    if (result_.exit_code == 0 || result_.cancelled || result_.timed_out) return;
    const std::string said = io::read_file_if_exists(log()).value_or("");
    if (said.find("\"level\":\"error\"") == std::string::npos &&
        said.find("\"level\": \"error\"") == std::string::npos) {
      return;
    }
    throw core::Error(explain_runtime_failure(said));
  }

  // Nothing may be left, whatever happened: the program, the container, the bundle.
  void clean_up() noexcept {
    try {
      if (pid_ > 0) {
        kill_container();
        ::kill(-pid_, SIGKILL);
        reap();
      }
      if (fs::exists(options_.runtime_root / spec_.id)) {
        io::Command removal;
        removal.argv = command({"delete", "--force", spec_.id});
        io::run(removal);
      }
      fs::remove_all(options_.folder);
    } catch (const std::exception& error) {
      core::log::error("clean up after container {}: {}", spec_.id, error.what());
    }
  }

  const Host& host_;
  const ContainerSpec& spec_;
  const ForegroundOptions& options_;
  std::array<io::UniqueFd, 2> outputs_;
  io::UniqueFd pidfd_;
  pid_t pid_ = -1;
  bool killed_ = false;
  ForegroundResult result_;
};

}  // namespace

ForegroundResult run_foreground(const Host& host, const ContainerSpec& spec,
                                const ForegroundOptions& options) {
  require_valid_id(spec.id);
  ForegroundRun run(host, spec, options);
  return run.run();
}

void remove_foreground_leftovers(const Host& host, const fs::path& runtime_root) {
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(runtime_root, absent)) {
    io::Command removal;
    removal.argv = {host.runtime.string(), "--root=" + runtime_root.string(), "delete", "--force",
                    entry.path().filename().string()};
    const io::Completed done = io::run(removal);
    if (!done.ok())
      core::log::warn("remove container {}: {}", entry.path().filename().string(), done.describe());
  }
}

}  // namespace sampan::runtime
