#include "node/endpoint_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/error.h"
#include "node/namespaces.h"
#include "node/netlink.h"

namespace sampan::node {
namespace {

constexpr char kAddress[] = "169.254.170.2";
constexpr int kLoopbackIndex = 1;

io::UniqueFd listen_here() {
  Netlink().add_address(kLoopbackIndex, std::string(kAddress) + "/32");
  io::UniqueFd socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_fd) throw core::errno_error("open the metadata socket");
  int one = 1;
  setsockopt(socket_fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(80);
  inet_pton(AF_INET, kAddress, &address.sin_addr);
  if (bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw core::errno_error("bind the metadata socket");
  }
  if (listen(socket_fd.get(), 64) != 0) throw core::errno_error("listen on the metadata socket");
  return socket_fd;
}

}  // namespace

io::UniqueFd open_endpoint_socket(const std::filesystem::path& network_namespace) {
  auto ns = io::open_file(network_namespace, O_RDONLY);
  io::UniqueFd opened;
  inside_network(ns.get(), [&] { opened = listen_here(); });
  return opened;
}

}  // namespace sampan::node
