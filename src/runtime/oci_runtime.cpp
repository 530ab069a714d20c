#include "runtime/oci_runtime.h"

#include <signal.h>

#include <boost/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "io/pidfd.h"
#include "io/subprocess.h"
#include "runtime/bundle.h"
#include "runtime/conmon.h"
#include "runtime/container_files.h"
#include "runtime/exec.h"
#include "runtime/start_fifo.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;

std::optional<io::PidFd> first_process(const ContainerFiles& files) {
  const auto processes = files.processes();
  return processes ? io::PidFd::open(processes->first) : std::nullopt;
}

std::optional<io::PidFd> monitor(const ContainerFiles& files) {
  const auto processes = files.processes();
  return processes ? io::PidFd::open(processes->monitor) : std::nullopt;
}

bool alive(const std::optional<io::PidFd>& process) {
  return process && !process->has_exited();
}

// Polls: only used while tearing down, where the end is a matter of milliseconds.
bool wait_gone(const io::PidFd& process, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!process.has_exited()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

OciRuntime::OciRuntime(io::Executors& executors, Host host, fs::path root)
    : executors_(executors), host_(std::move(host)), root_(std::move(root)), warmth_(host_.cgroups) {
  SAMPAN_CHECK(root_.is_absolute());  // crun resolves a relative root after it has changed directory
  io::make_directories(root_ / "state", 0700);
  io::make_directories(root_ / "sockets", 0700);
}

fs::path OciRuntime::state_root() const {
  return root_ / "state";
}

std::vector<std::string> OciRuntime::global_arguments(const fs::path& log) const {
  return {"--root=" + state_root().string(), "--log=" + log.string(), "--log-format=json"};
}

std::vector<std::string> OciRuntime::command(const fs::path& log, std::vector<std::string> rest) const {
  std::vector<std::string> argv = {host_.runtime.string()};
  for (std::string& argument : global_arguments(log)) argv.push_back(std::move(argument));
  for (std::string& argument : rest) argv.push_back(std::move(argument));
  return argv;
}

void OciRuntime::create(const ContainerSpec& spec, const fs::path& folder) {
  require_valid_id(spec.id);
  const ContainerRef container{spec.id, folder};
  const ContainerState before = observe(container).state;
  if (before == ContainerState::kCreated || before == ContainerState::kRunning) return;
  const MigrationWarmth::Hold warm(warmth_);
  remove(container);  // what an attempt that was cut short may have left

  const ContainerFiles files(container);
  files.prepare();
  const ResolvedUser user = resolve_user_in(spec.rootfs, spec.process.user, spec.process.additional_groups);
  const auto config = render_config(spec, user, host_);
  io::replace_file(files.config(), boost::json::serialize(config), io::Durability::kProcessCrash, 0600);

  MonitorRequest request;
  request.id = spec.id;
  request.socket_directory = root_ / "sockets";
  request.runtime_arguments = global_arguments(files.runtime_log());
  request.terminal = spec.process.terminal;
  request.keep_stdin_open = spec.keep_stdin_open;
  try {
    files.store_processes(start_monitor(host_, files, request));
  } catch (const core::Error&) {
    remove(container);
    throw;
  }
}

void OciRuntime::start(const ContainerRef& container) {
  const ContainerState state = observe(container).state;
  if (state == ContainerState::kRunning || state == ContainerState::kExited) return;
  const ContainerFiles files(container);
  const bool waits_at_fifo = host_.runtime_name == "runc";
  if (waits_at_fifo && start_by_fifo(state_root() / container.id / "exec.fifo", first_process(files))) return;
  io::Command start;
  start.argv = command(files.runtime_log(), {"start", container.id});
  const io::Completed done = io::run(start);
  if (done.ok()) return;
  const std::string log = io::read_file_if_exists(files.runtime_log()).value_or("");
  throw core::Error(explain_runtime_failure(log.empty() ? done.err : log));
}

Observation OciRuntime::observe(const ContainerRef& container) {
  const ContainerFiles files(container);
  Observation seen;
  // Looked at before the exit file: conmon writes that and then ends, so a dead monitor without one is
  // final, while a live one may still be writing.
  const auto conmon = monitor(files);
  const auto first = first_process(files);
  const bool monitored = alive(conmon);
  const bool running = alive(first);
  seen.exit = files.exit_status();
  if (seen.exit) {
    seen.state = ContainerState::kExited;
  } else if (monitored || running) {
    // The fifo on which the first process waits is there until it is started.
    const bool waiting = fs::exists(state_root() / container.id / "exec.fifo");
    seen.state = waiting ? ContainerState::kCreated : ContainerState::kRunning;
    seen.pid = first ? first->pid() : 0;
  } else if (files.processes()) {
    seen.state = ContainerState::kExited;
  }
  return seen;
}

boost::asio::awaitable<std::optional<ExitStatus>> OciRuntime::wait(ContainerRef container) {
  const ContainerFiles files(container);
  const auto conmon = monitor(files);
  if (conmon) co_await conmon->wait_exit();
  auto status = files.exit_status();
  if (status) co_return status;
  // The monitor was killed: nobody knows the code, but the end can still be seen.
  const auto first = first_process(files);
  if (first) co_await first->wait_exit();
  co_return std::nullopt;
}

void OciRuntime::signal(const ContainerRef& container, int signal_number) {
  const auto first = first_process(ContainerFiles(container));
  if (first) first->send_signal(signal_number);
}

void OciRuntime::remove(const ContainerRef& container) {
  require_valid_id(container.id);
  const ContainerFiles files(container);
  // Killed here and waited for, because `delete --force` looks only every 100 ms.
  const auto first = first_process(files);
  if (first && first->send_signal(SIGKILL)) wait_gone(*first, std::chrono::seconds(10));
  if (fs::exists(state_root() / container.id)) {
    io::Command removal;
    // Not the container's own log: its folder may be gone already.
    removal.argv = command("/dev/null", {"delete", "--force", container.id});
    io::run_or_throw(removal);
  }
  const auto conmon = monitor(files);
  if (conmon && !wait_gone(*conmon, std::chrono::seconds(5))) {
    core::log::warn("the monitor of container {} did not end: killed", container.id);
    conmon->send_signal(SIGKILL);
  }
  std::error_code ignored;
  fs::remove_all(root_ / "sockets" / container.id, ignored);
}

std::vector<std::string> OciRuntime::list() {
  std::vector<std::string> ids;
  for (const auto& entry : fs::directory_iterator(state_root())) {
    if (entry.is_directory()) ids.push_back(entry.path().filename().string());
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace sampan::runtime
