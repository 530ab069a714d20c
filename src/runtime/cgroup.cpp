#include "runtime/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "io/file.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kCpuPeriod = 100000;
constexpr std::int64_t kUnitsPerCpu = 1024;
// v1's "no limit" is the greatest multiple of a page; anything near it means none.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62;

void make_group(const fs::path& root, const std::string& path) {
  fs::path group = root;
  for (const std::string& part : core::split(path, '/')) {
    if (part.empty()) continue;
    group /= part;
    if (::mkdir(group.c_str(), 0755) != 0 && errno != EEXIST) {
      throw core::errno_error("make control group " + group.string());
    }
  }
}

// Control files take one write(2), and say what is wrong with it by its errno.
void put(const fs::path& file, const std::string& value) {
  const io::UniqueFd fd = io::open_file(file, O_WRONLY);
  if (::write(fd.get(), value.data(), value.size()) < 0) {
    throw core::errno_error("write \"" + value + "\" to " + file.string());
  }
}

std::uint64_t number(const fs::path& file) {
  const auto text = io::read_file_if_exists(file);
  const auto value = core::parse_int(core::trim(text.value_or("")));
  return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;  // "max" is no number: 0
}

// The value behind `key` in lines "key value".
std::uint64_t field(const fs::path& file, std::string_view key) {
  const std::string text = io::read_file_if_exists(file).value_or("");
  for (const std::string& line : core::split(text, '\n')) {
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      return static_cast<std::uint64_t>(core::parse_int(line.substr(key.size() + 1)).value_or(0));
    }
  }
  return 0;
}

std::uint64_t limit_or_none(std::uint64_t bytes) {
  return bytes >= kUnlimited ? 0 : bytes;
}

void for_each_below(const fs::path& group, const std::function<void(const fs::path&)>& act) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(group, error)) {
    std::error_code ignored;
    if (entry.is_directory(ignored)) for_each_below(entry.path(), act);
  }
  act(group);
}

void collect_processes(const fs::path& group, std::set<int>& pids) {
  for_each_below(group, [&pids](const fs::path& each) {
    std::string text;
    try {
      text = io::read_file_if_exists(each / "cgroup.procs").value_or("");
    } catch (const core::Error&) {
      return;  // removed between listing and reading (ENODEV)
    }
    for (const std::string& line : core::split(text, '\n')) {
      const auto pid = core::parse_int(line);
      if (pid && *pid > 1) pids.insert(static_cast<int>(*pid));
    }
  });
}

// A group whose last process has just gone may be busy for a moment more.
void remove_tree(const fs::path& group) {
  for (int attempt = 0;; ++attempt) {
    int failure = 0;
    for_each_below(group, [&failure](const fs::path& each) {
      if (::rmdir(each.c_str()) != 0 && errno != ENOENT) failure = errno;
    });
    if (failure == 0) return;
    if (failure != EBUSY || attempt >= 200) {
      throw core::errno_error("remove control group " + group.string(), failure);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(attempt < 10 ? 1 : 10));
  }
}

void limit_v1(const Resources& limits, const fs::path& cpu, const fs::path& memory, const fs::path& pids) {
  if (limits.cpu_shares > 0)
    put(cpu / "cpu.shares", std::to_string(std::max<std::int64_t>(2, limits.cpu_shares)));
  if (limits.cpu_quota_units > 0) {
    put(cpu / "cpu.cfs_period_us", std::to_string(kCpuPeriod));
    put(cpu / "cpu.cfs_quota_us",
        std::to_string(std::max<std::int64_t>(1000, limits.cpu_quota_units * kCpuPeriod / kUnitsPerCpu)));
  }
  if (limits.memory_bytes > 0) put(memory / "memory.limit_in_bytes", std::to_string(limits.memory_bytes));
  if (limits.memory_reservation_bytes > 0) {
    put(memory / "memory.soft_limit_in_bytes", std::to_string(limits.memory_reservation_bytes));
  }
  if (limits.pids > 0) put(pids / "pids.max", std::to_string(limits.pids));
}

void limit_v2(const Resources& limits, const fs::path& group) {
  if (limits.cpu_shares > 0) put(group / "cpu.weight", std::to_string(weight_for_shares(limits.cpu_shares)));
  if (limits.cpu_quota_units > 0) {
    put(group / "cpu.max",
        fmt::format("{} {}", std::max<std::int64_t>(1000, limits.cpu_quota_units * kCpuPeriod / kUnitsPerCpu),
                    kCpuPeriod));
  }
  if (limits.memory_bytes > 0) {
    put(group / "memory.max", std::to_string(limits.memory_bytes));
    if (fs::exists(group / "memory.swap.max")) put(group / "memory.swap.max", "0");
  }
  if (limits.memory_reservation_bytes > 0) {
    put(group / "memory.low", std::to_string(limits.memory_reservation_bytes));
  }
  if (limits.pids > 0) put(group / "pids.max", std::to_string(limits.pids));
}

// Controllers are handed down level by level, from the root to the group itself (its children are limited).
void delegate_v2(const fs::path& root, const std::string& path) {
  fs::path group = root;
  put(group / "cgroup.subtree_control", "+cpu +memory +pids");
  for (const std::string& part : core::split(path, '/')) {
    if (part.empty()) continue;
    group /= part;
    put(group / "cgroup.subtree_control", "+cpu +memory +pids");
  }
}

fs::path below(const fs::path& root, const std::string& path) {
  SAMPAN_CHECK(path.size() > 1 && path[0] == '/' && path.find("..") == std::string::npos);
  return root / path.substr(1);
}

}  // namespace

std::uint64_t weight_for_shares(std::int64_t shares) {
  const std::int64_t bounded = std::clamp<std::int64_t>(shares, 2, 262144);
  return static_cast<std::uint64_t>(1 + ((bounded - 2) * 9999) / 262142);
}

std::vector<fs::path> Cgroups::directories(const std::string& path) const {
  std::set<fs::path> roots;  // controllers may share a mount (cpu,cpuacct)
  for (const auto& [name, root] : layout_.controllers) roots.insert(root);
  if (!layout_.unified.empty()) roots.insert(layout_.unified);
  std::vector<fs::path> result;
  for (const fs::path& root : roots) result.push_back(below(root, path));
  return result;
}

fs::path Cgroups::directory(const std::string& controller, const std::string& path) const {
  const auto found = layout_.controllers.find(controller);
  return below(found == layout_.controllers.end() ? layout_.unified : found->second, path);
}

void Cgroups::create(const std::string& path, const Resources& limits) const {
  if (layout_.mode == CgroupMode::kV2) {
    make_group(layout_.unified, path);
    delegate_v2(layout_.unified, path);
    limit_v2(limits, directory("", path));
    return;
  }
  for (const char* name : {"cpu", "memory", "pids"}) {
    const auto found = layout_.controllers.find(name);
    if (found == layout_.controllers.end()) {
      throw core::Error(fmt::format("the cgroup controller \"{}\" is not mounted", name));
    }
    make_group(found->second, path);
  }
  limit_v1(limits, directory("cpu", path), directory("memory", path), directory("pids", path));
}

void Cgroups::remove(const std::string& path) const {
  kill_all(path);
  for (const fs::path& group : directories(path)) {
    if (fs::exists(group)) remove_tree(group);
  }
}

std::vector<int> Cgroups::processes(const std::string& path) const {
  std::set<int> pids;
  for (const fs::path& group : directories(path)) collect_processes(group, pids);
  return {pids.begin(), pids.end()};
}

void Cgroups::kill_all(const std::string& path) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (true) {
    const fs::path killer =
        layout_.mode == CgroupMode::kV2 ? directory("", path) / "cgroup.kill" : fs::path();
    if (!killer.empty() && fs::exists(killer)) put(killer, "1");
    const std::vector<int> pids = processes(path);
    if (pids.empty()) return;
    // v1 has no atomic kill: what forks meanwhile is found in the next round.
    for (const int pid : pids) ::kill(pid, SIGKILL);
    if (std::chrono::steady_clock::now() > deadline) {
      throw core::Error(fmt::format("kill the processes of control group {}", path),
                        fmt::format("{} are still there, process {} among them", pids.size(), pids[0]));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

CgroupUsage Cgroups::usage(const std::string& path) const {
  CgroupUsage usage;
  if (layout_.mode == CgroupMode::kV2) {
    const fs::path group = directory("", path);
    usage.cpu_nanoseconds = field(group / "cpu.stat", "usage_usec") * 1000;
    usage.memory_bytes = number(group / "memory.current");
    usage.memory_cache_bytes = field(group / "memory.stat", "inactive_file");
    usage.memory_limit_bytes = number(group / "memory.max");
    usage.memory_peak_bytes = number(group / "memory.peak");
    usage.pids = number(group / "pids.current");
    usage.oom_kills = field(group / "memory.events", "oom_kill");
    return usage;
  }
  const fs::path memory = directory("memory", path);
  usage.cpu_nanoseconds = number(directory("cpuacct", path) / "cpuacct.usage");
  usage.memory_bytes = number(memory / "memory.usage_in_bytes");
  usage.memory_cache_bytes = field(memory / "memory.stat", "total_inactive_file");
  usage.memory_limit_bytes = limit_or_none(number(memory / "memory.limit_in_bytes"));
  usage.memory_peak_bytes = number(memory / "memory.max_usage_in_bytes");
  usage.pids = number(directory("pids", path) / "pids.current");
  usage.oom_kills = field(memory / "memory.oom_control", "oom_kill");
  return usage;
}

std::vector<std::string> Cgroups::children(const std::string& path) const {
  std::set<std::string> names;
  for (const fs::path& group : directories(path)) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(group, error)) {
      std::error_code ignored;
      if (entry.is_directory(ignored)) names.insert(entry.path().filename().string());
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace sampan::runtime
