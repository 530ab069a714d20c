#include "node/endpoint_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/error.h"

namespace sampan::node {

io::UniqueFd open_endpoint_socket(const std::string& bridge) {
  auto check = [&](int result, const char* step) {
    if (result != 0) throw core::errno_error(fmt::format("{} the metadata socket of {}", step, bridge));
  };
  io::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  check(fd ? 0 : -1, "open");
  int one = 1;
  check(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), "prepare");
  check(setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, bridge.c_str(),
                   static_cast<socklen_t>(bridge.size())),
        "tie down");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(80);
  inet_pton(AF_INET, kEndpointAddress, &address.sin_addr);
  check(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
  check(listen(fd.get(), 256), "listen on");
  return fd;
}

}  // namespace sampan::node
