// What an unfriendly peer is made of: a blocking socket that sends any bytes and reads what comes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "core/error.h"
#include "io/file.h"

namespace sampan::http {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{20, 0};  // a test that hangs fails instead
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      throw core::errno_error("connect to the server under test");
    }
  }

  // False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  int fd() const { return fd_.get(); }

  // Up to and with `end`; what came until the server closed, when that never came.
  std::string read_until(std::string_view end) {
    while (true) {
      const std::size_t at = pending_.find(end);
      if (at != std::string::npos) return take(at + end.size());
      if (!receive()) return take(pending_.size());
    }
  }
  std::string read(std::size_t size) {
    while (pending_.size() < size && receive()) {
    }
    return take(std::min(size, pending_.size()));
  }
  // All until the server closes.
  std::string read_to_end() {
    while (receive()) {
    }
    return take(pending_.size());
  }
  // A head and the body that its Content-Length announces.
  std::string read_response() {
    std::string response = read_until("\r\n\r\n");
    const std::size_t at = response.find("Content-Length: ");
    if (at == std::string::npos) return response;
    return response + read(std::stoull(response.substr(at + 16)));
  }
  bool closed() { return read_to_end().empty(); }

 private:
  bool receive() {
    char piece[65536];
    const ssize_t n = ::recv(fd_.get(), piece, sizeof(piece), 0);
    if (n > 0) pending_.append(piece, static_cast<std::size_t>(n));
    return n > 0;
  }
  std::string take(std::size_t n) {
    std::string taken = pending_.substr(0, n);
    pending_.erase(0, n);
    return taken;
  }

  io::UniqueFd fd_;
  std::string pending_;
};

}  // namespace sampan::http
