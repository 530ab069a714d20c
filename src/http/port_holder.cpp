// Who listens on a port, found in /proc: for the message when we cannot.
#include <fmt/core.h>
#include <unistd.h>

#include <charconv>

#include "core/text.h"
#include "http/listener.h"
#include "io/file.h"

namespace sampan::http {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kListening = "0A";  // TCP_LISTEN in the state column

bool process_holds(const fs::path& descriptors, const std::string& link) {
  std::error_code error;
  for (fs::directory_iterator fd(descriptors, error), end; !error && fd != end; fd.increment(error)) {
    std::error_code gone;
    if (fs::read_symlink(fd->path(), gone) == link) return true;
  }
  return false;
}

std::string name_of(const std::string& pid) {
  const auto name = io::read_file_if_exists("/proc/" + pid + "/comm", 256);
  return std::string(core::trim(name.value_or("")));
}

}  // namespace

std::uint64_t listening_inode(std::string_view proc_net_tcp, std::uint16_t port) {
  const std::string suffix = fmt::format(":{:04X}", port);
  for (const std::string& line : core::split(proc_net_tcp, '\n')) {
    std::vector<std::string>
        fields;  // sl local_address rem_address st queues timer retrnsmt uid timeout inode
    for (std::string& field : core::split(line, ' ')) {
      if (!field.empty()) fields.push_back(std::move(field));
    }
    if (fields.size() < 10 || !fields[1].ends_with(suffix) || fields[3] != kListening) continue;
    if (const auto inode = core::parse_int(fields[9])) return static_cast<std::uint64_t>(*inode);
  }
  return 0;
}

std::string describe_port_holder(std::uint16_t port) try {
  std::uint64_t inode = 0;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    if (inode == 0) inode = listening_inode(io::read_file_if_exists(table).value_or(""), port);
  }
  if (inode == 0) return "";
  const std::string link = fmt::format("socket:[{}]", inode);
  std::error_code error;
  for (fs::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const std::string pid = process->path().filename().string();
    if (!core::parse_int(pid) || !process_holds(process->path() / "fd", link)) continue;
    return fmt::format("pid {} ({})", pid, name_of(pid));
  }
  return "";
} catch (const std::exception&) {
  return "";  // only a hint: what is reported is that the port is taken
}

}  // namespace sampan::http
