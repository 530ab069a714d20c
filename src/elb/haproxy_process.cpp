#include "elb/haproxy_process.h"

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "elb/haproxy_admin.h"
#include "io/file.h"
#include "io/pidfd.h"
#include "io/subprocess.h"

namespace sampan::elb {
namespace {

namespace fs = std::filesystem;

std::optional<pid_t> read_pid(const fs::path& file) {
  const auto text = io::read_file_if_exists(file, 64);
  const auto number = text ? core::parse_int(core::trim(*text)) : std::nullopt;
  if (!number || *number <= 1) return std::nullopt;
  return static_cast<pid_t>(*number);
}

// A pid may belong to somebody else by now: ours has our configuration file among its arguments.
bool is_ours(pid_t pid, const fs::path& config) {
  std::optional<std::string> arguments;
  try {
    arguments = io::read_file_if_exists(fmt::format("/proc/{}/cmdline", pid), 64 * 1024);
  } catch (const core::Error&) {
    return false;
  }
  if (!arguments) return false;
  const auto words = core::split(*arguments, '\0');
  return std::find(words.begin(), words.end(), config.string()) != words.end();
}

void end(pid_t pid, const fs::path& config) {
  const auto process = io::PidFd::open(pid);
  if (!process || !is_ours(pid, config)) return;
  process->send_signal(SIGTERM);
  for (int i = 0; i < 200 && !process->has_exited(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (!process->has_exited()) process->send_signal(SIGKILL);
}

template <class F>
void for_each_old(const fs::path& run, F f) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run, ignored)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("old-") && name.ends_with(".pid")) f(entry.path());
  }
}

// Of all admin sockets that are there.
std::vector<int> admin_numbers(const fs::path& run) {
  std::vector<int> numbers;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run, ignored)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with("admin-") || !name.ends_with(".sock")) continue;
    if (const auto number = core::parse_int(name.substr(6, name.size() - 11))) {
      numbers.push_back(static_cast<int>(*number));
    }
  }
  return numbers;
}

}  // namespace

fs::path EdgePaths::admin(int number) const {
  return run / fmt::format("admin-{}.sock", number);
}

EdgePaths edge_paths(const fs::path& data_dir, const fs::path& run_dir) {
  return {fs::absolute(data_dir) / "edge" / "haproxy.cfg", fs::absolute(run_dir) / "edge"};
}

std::optional<pid_t> HaproxyProcess::running() const {
  const auto pid = read_pid(paths_.pid());
  if (!pid) return std::nullopt;
  const auto process = io::PidFd::open(*pid);
  if (!process || process->has_exited() || !is_ours(*pid, paths_.config)) return std::nullopt;
  return pid;
}

HaproxyProcess::Started HaproxyProcess::start(const fs::path& admin) {
  const auto before = running();
  const auto new_pid = paths_.run / "new.pid";
  io::Command command;
  command.argv = {program_, "-D", "-f", paths_.config.string(), "-p", new_pid.string()};
  if (before) {
    command.argv.push_back("-x");
    command.argv.push_back(admin.string());
  }
  command.timeout = std::chrono::seconds(30);
  const auto done = io::run(command);
  if (!done.ok()) {
    std::error_code ignored;
    fs::remove(new_pid, ignored);
    return {false, parse_taken_ports(done.err + done.out), done.describe() + ": " + done.err};
  }
  if (before) {
    fs::rename(paths_.pid(), paths_.run / fmt::format("old-{}.pid", *before));
    fs::rename(new_pid, paths_.pid());
    if (const auto process = io::PidFd::open(*before)) process->send_signal(SIGUSR1);
  } else {
    fs::rename(new_pid, paths_.pid());
  }
  forget_finished();
  return {true, {}, ""};
}

std::optional<int> HaproxyProcess::admin_number() const {
  const auto pid = running();
  if (!pid) return std::nullopt;
  for (const int number : admin_numbers(paths_.run)) {
    try {
      const auto info = ask_haproxy(paths_.admin(number), "show info", std::chrono::seconds(2));
      if (info_value(info, "Pid") == std::to_string(*pid)) return number;
    } catch (const core::Error&) {
      continue;  // of a process that has ended
    }
  }
  return std::nullopt;
}

void HaproxyProcess::forget_finished() const {
  bool any_left = false;
  for_each_old(paths_.run, [&](const fs::path& file) {
    const auto pid = read_pid(file);
    const auto process = pid ? io::PidFd::open(*pid) : std::nullopt;
    if (process && !process->has_exited() && is_ours(*pid, paths_.config)) {
      any_left = true;
      return;
    }
    std::error_code ignored;
    fs::remove(file, ignored);
  });
  if (any_left) return;
  const auto numbers = admin_numbers(paths_.run);
  const auto newest = std::max_element(numbers.begin(), numbers.end());
  for (const int number : numbers) {
    std::error_code ignored;
    if (number != *newest) fs::remove(paths_.admin(number), ignored);
  }
}

void HaproxyProcess::stop() {
  const auto end_and_forget = [&](const fs::path& file) {
    if (const auto pid = read_pid(file)) end(*pid, paths_.config);
    std::error_code ignored;
    fs::remove(file, ignored);
  };
  for_each_old(paths_.run, end_and_forget);
  end_and_forget(paths_.pid());
  end_and_forget(paths_.run / "new.pid");
  for (const int number : admin_numbers(paths_.run)) {
    std::error_code ignored;
    fs::remove(paths_.admin(number), ignored);
  }
}

std::set<int> parse_taken_ports(const std::string& output) {
  std::set<int> ports;
  for (const auto& line : core::split(output, '\n')) {
    if (line.find("cannot bind socket") == std::string::npos) continue;
    const auto open = line.rfind('[');
    const auto close = line.find(']', open == std::string::npos ? 0 : open);
    if (open == std::string::npos || close == std::string::npos) continue;
    const auto inside = line.substr(open + 1, close - open - 1);
    const auto colon = inside.rfind(':');
    const auto port = colon == std::string::npos ? std::nullopt : core::parse_int(inside.substr(colon + 1));
    if (port) ports.insert(static_cast<int>(*port));
  }
  return ports;
}

}  // namespace sampan::elb
