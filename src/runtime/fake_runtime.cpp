#include "runtime/fake_runtime.h"

#include <signal.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/error.h"
#include "core/text.h"
#include "io/executors.h"
#include "runtime/container_files.h"

namespace sampan::runtime {

struct FakeRuntime::Entry {
  ContainerSpec spec;
  ContainerState state = ContainerState::kCreated;
  std::optional<ExitStatus> exit;
};

FakeRuntime::FakeRuntime() = default;
FakeRuntime::~FakeRuntime() = default;

void FakeRuntime::create(const ContainerSpec& spec, const std::filesystem::path& folder) {
  require_valid_id(spec.id);
  io::make_directories(folder);
  const auto& args = spec.process.args;
  if (args.empty()) throw core::Error("no command specified");
  if (args[0] == "missing") {
    throw core::Error("exec: \"missing\": executable file not found in $PATH");
  }
  const std::lock_guard lock(mutex_);
  auto& entry = containers_[spec.id];
  if (entry && entry->state != ContainerState::kExited) return;
  entry = std::make_unique<Entry>();
  entry->spec = spec;
}

void FakeRuntime::start(const ContainerRef& container) {
  const std::lock_guard lock(mutex_);
  const auto found = containers_.find(container.id);
  if (found == containers_.end()) throw core::Error("container does not exist");
  Entry& entry = *found->second;
  if (entry.state != ContainerState::kCreated) return;
  entry.state = ContainerState::kRunning;
  const auto& args = entry.spec.process.args;
  if (args[0] != "exit") return;
  ExitStatus status;
  status.code = args.size() > 1 ? static_cast<int>(core::parse_int(args[1]).value_or(0)) : 0;
  end(entry, status);
}

void FakeRuntime::end(Entry& entry, ExitStatus status) {
  if (entry.state == ContainerState::kExited) return;
  status.finished_at =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  entry.exit = status;
  entry.state = ContainerState::kExited;
}

Observation FakeRuntime::observe(const ContainerRef& container) {
  const std::lock_guard lock(mutex_);
  const auto found = containers_.find(container.id);
  if (found == containers_.end()) return {};
  Observation seen;
  seen.state = found->second->state;
  seen.exit = found->second->exit;
  seen.pid = seen.exit ? 0 : 1;
  return seen;
}

boost::asio::awaitable<std::optional<ExitStatus>> FakeRuntime::wait(ContainerRef container) {
  while (true) {
    const Observation seen = observe(container);
    if (seen.state == ContainerState::kExited || seen.state == ContainerState::kAbsent) co_return seen.exit;
    co_await io::sleep_for(std::chrono::milliseconds(1));
  }
}

void FakeRuntime::signal(const ContainerRef& container, int signal_number) {
  const std::lock_guard lock(mutex_);
  const auto found = containers_.find(container.id);
  if (found == containers_.end()) return;
  const bool stubborn = found->second->spec.process.args[0] == "stubborn";
  if (signal_number == SIGKILL || !stubborn) end(*found->second, ExitStatus{128 + signal_number, false, {}});
}

void FakeRuntime::remove(const ContainerRef& container) {
  const std::lock_guard lock(mutex_);
  containers_.erase(container.id);
}

std::vector<std::string> FakeRuntime::list() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, entry] : containers_) ids.push_back(id);
  return ids;
}

boost::asio::awaitable<ExecResult> FakeRuntime::exec(ContainerRef container, ExecRequest request) {
  if (observe(container).state != ContainerState::kRunning) throw core::Error("container is not running");
  const std::lock_guard lock(mutex_);
  const auto found = exec_results_.find(request.process.args.at(0));
  ExecResult result;
  result.exit_code = 0;
  co_return found == exec_results_.end() ? result : found->second;
}

boost::asio::awaitable<std::unique_ptr<ExecSession>> FakeRuntime::open_exec(ContainerRef, ProcessSpec) {
  throw core::Error("the fake runtime has no terminals");
  co_return nullptr;
}

void FakeRuntime::finish(const std::string& id, int code, bool out_of_memory) {
  const std::lock_guard lock(mutex_);
  const auto found = containers_.find(id);
  if (found != containers_.end()) end(*found->second, ExitStatus{code, out_of_memory, {}});
}

void FakeRuntime::set_exec_result(const std::string& program, ExecResult result) {
  const std::lock_guard lock(mutex_);
  exec_results_[program] = std::move(result);
}

std::optional<ContainerSpec> FakeRuntime::spec(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = containers_.find(id);
  return found == containers_.end() ? std::nullopt : std::optional(found->second->spec);
}

}  // namespace sampan::runtime
