// Who holds a port: a try to bind it, and a walk through /proc to name the holder.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "core/text.h"
#include "elb/haproxy_process.h"
#include "io/file.h"

namespace sampan::elb {
namespace {

namespace fs = std::filesystem;

// The inode of the socket that listens on the port, from /proc/net/tcp or tcp6.
std::optional<std::string> listening_inode(const char* table, int port) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
    const auto colon = local.rfind(':');
    if (state == "0A" && colon != std::string::npos &&
        std::strtol(local.c_str() + colon + 1, nullptr, 16) == port) {
      return inode;
    }
  }
  return std::nullopt;
}

std::optional<std::string> owner_of(const std::string& inode) {
  const auto wanted = fmt::format("socket:[{}]", inode);
  std::error_code error;
  for (const auto& process : fs::directory_iterator("/proc", error)) {
    const auto name = process.path().filename().string();
    if (!core::parse_int(name)) continue;
    for (const auto& descriptor : fs::directory_iterator(process.path() / "fd", error)) {
      if (fs::read_symlink(descriptor.path(), error) != wanted) continue;
      const auto command = io::read_file_if_exists(process.path() / "comm", 64);
      return fmt::format("{} (pid {})", core::trim(command.value_or("a program")), name);
    }
  }
  return std::nullopt;
}

std::string holder(int port) {
  for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto inode = listening_inode(table, port);
    if (!inode) continue;
    if (auto owner = owner_of(*inode)) return *std::move(owner);
  }
  return "another program";
}

}  // namespace

std::optional<std::string> port_trouble(const std::string& address, int port) {
  sockaddr_in wanted{};
  wanted.sin_family = AF_INET;
  wanted.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &wanted.sin_addr) != 1)
    return fmt::format("{} is no IPv4 address", address);
  const io::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&wanted), sizeof wanted) == 0 && listen(fd.get(), 1) == 0) {
    return std::nullopt;
  }
  if (errno == EADDRINUSE) {
    return fmt::format("port {} of {} is in use by {}: choose another port or stop that program", port,
                       address, holder(port));
  }
  return fmt::format("port {} of {} cannot be listened on: {}", port, address, std::strerror(errno));
}

}  // namespace sampan::elb
