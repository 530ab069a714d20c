#include "runtime/container_files.h"

#include <sys/stat.h>

#include "core/error.h"
#include "core/text.h"

namespace sampan::runtime {
namespace {

namespace fs = std::filesystem;
constexpr int kKilledCode = 137;

std::optional<io::ProcessIdentity> parse_identity(std::string_view pid, std::string_view start) {
  const auto number = core::parse_int(pid);
  const auto ticks = core::parse_int(start);
  if (!number || !ticks) return std::nullopt;
  return io::ProcessIdentity{static_cast<pid_t>(*number), static_cast<std::uint64_t>(*ticks)};
}

}  // namespace

void require_valid_id(const std::string& id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  const bool valid = !id.empty() && id.size() <= 128 && id[0] != '.' && id[0] != '-' &&
                     std::all_of(id.begin(), id.end(), allowed);
  if (!valid)
    throw core::Error("container id \"" + id + "\"", "not made of letters, digits, '_', '.' and '-'");
}

void ContainerFiles::prepare() const {
  io::make_directories(state());
  for (const fs::path& old : {exit(), state() / "exit", state() / "oom", folder_ / "oom",
                              folder_ / "processes", pid(), monitor_pid(), runtime_log()}) {
    std::error_code ignored;
    fs::remove(old, ignored);
  }
}

void ContainerFiles::store_processes(const ContainerProcesses& processes) const {
  const std::string text = fmt::format("{} {} {} {}\n", processes.first.pid, processes.first.start_ticks,
                                       processes.monitor.pid, processes.monitor.start_ticks);
  io::replace_file(folder_ / "processes", text, io::Durability::kProcessCrash);
}

std::optional<ContainerProcesses> ContainerFiles::processes() const {
  const std::string text = io::read_file_if_exists(folder_ / "processes").value_or("");
  const auto fields = core::split(core::trim(text), ' ');
  if (fields.size() != 4) return std::nullopt;
  const auto first = parse_identity(fields[0], fields[1]);
  const auto monitor = parse_identity(fields[2], fields[3]);
  if (!first || !monitor) return std::nullopt;
  return ContainerProcesses{*first, *monitor};
}

std::optional<ExitStatus> ContainerFiles::exit_status() const {
  const auto text = io::read_file_if_exists(exit());
  const auto code = core::parse_int(core::trim(text.value_or("")));
  if (!code) return std::nullopt;
  ExitStatus status;
  status.code = static_cast<int>(*code);
  // conmon leaves the mark in its working directory and in its persist directory.
  const bool marked = fs::exists(folder_ / "oom") || fs::exists(state() / "oom");
  status.out_of_memory = marked && status.code == kKilledCode;
  struct stat info{};
  if (::stat(exit().c_str(), &info) == 0) {
    status.finished_at = std::chrono::sys_time<std::chrono::milliseconds>(
        std::chrono::milliseconds(std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1000000));
  }
  return status;
}

}  // namespace sampan::runtime
