// Sockets that listen: made, described when they cannot be, and accepted from. Part of server.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "http/connection.h"

namespace sampan::http {

// Bound and listening; throws core::Error that names the address, what holds it, and how to mend it.
io::UniqueFd open_listener(const std::string& address, std::uint16_t port);
std::uint16_t port_of(int socket);  // 0 where there is none (Unix sockets)

// Accepts until the socket is shut down, handing each connection to `take`.
io::Awaitable<void> accept_until_closed(int socket, std::function<void(Accepted)> take);

// "pid 4242 (nginx)" of the process that listens on a TCP port, as far as /proc lets us see it.
std::string describe_port_holder(std::uint16_t port);
// The inode of the socket that listens on `port` in the text of /proc/net/tcp or tcp6; 0 when there is none.
std::uint64_t listening_inode(std::string_view proc_net_tcp, std::uint16_t port);

}  // namespace sampan::http
