#include "elb/tests/world.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "core/text.h"

namespace sampan::elb {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int listen_on_free_port(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 256) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  port = ntohs(address.sin_port);
  return fd;
}

bool send_all(int fd, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const auto n = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

// Reads on until `buffer` holds a whole head; false when the peer has gone or nothing came for ten seconds.
bool read_more(int fd, std::string& buffer) {
  pollfd waiting{fd, POLLIN, 0};
  if (poll(&waiting, 1, 10000) <= 0) return false;
  char piece[16384];
  const auto n = recv(fd, piece, sizeof piece, 0);
  if (n <= 0) return false;
  buffer.append(piece, static_cast<std::size_t>(n));
  return true;
}

}  // namespace

int free_port() {
  int port = 0;
  close(listen_on_free_port(port));
  return port;
}

TestBackend::TestBackend(std::string name) : name_(std::move(name)) {
  listener_ = listen_on_free_port(port_);
  acceptor_ = std::thread([this] { accept_all(); });
}

TestBackend::~TestBackend() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    std::lock_guard lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
}

void TestBackend::accept_all() {
  while (!stopping_) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::lock_guard lock(mutex_);
    open_.insert(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void TestBackend::serve(int fd) {
  std::string buffer;
  while (!stopping_) {
    std::size_t end;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      char piece[16384];
      const auto n = recv(fd, piece, sizeof piece, 0);
      if (n <= 0) break;
      buffer.append(piece, static_cast<std::size_t>(n));
    }
    if (end == std::string::npos) break;
    const auto head = buffer.substr(0, end);
    buffer.erase(0, end + 4);
    const bool check = head.find(" /health") != std::string::npos;
    if (!check) ++requests;
    if (!check && delay_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    const auto body = name_ + "\n" + head;
    const bool closes = core::to_lower(head).find("connection: close") != std::string::npos;
    auto answer = "HTTP/1.1 " + std::to_string(check ? health_status.load() : 200) +
                  " X\r\nContent-Length: " + std::to_string(body.size()) +
                  (closes ? "\r\nConnection: close" : "") + "\r\n\r\n" + body;
    if (!send_all(fd, answer) || closes) break;
  }
  std::lock_guard lock(mutex_);
  open_.erase(fd);
  close(fd);
}

TestClient::~TestClient() {
  if (fd_ >= 0) close(fd_);
}

Answer TestClient::get(const std::string& path, const std::string& more_headers, const std::string& host,
                       const std::string& method) {
  const auto fail = [this] {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
    return Answer{};
  };
  if (fd_ < 0) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port_);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail();
  }
  if (!send_all(fd_, method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + more_headers + "\r\n"))
    return fail();
  std::string buffer;
  std::size_t end;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more(fd_, buffer)) return fail();
  }
  Answer answer;
  answer.status = std::atoi(buffer.c_str() + 9);
  for (const auto& line : core::split(std::string_view(buffer).substr(0, end), '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const auto name = core::to_lower(line.substr(0, colon));
    const std::string value(core::trim(line.substr(colon + 2)));
    if (name == "set-cookie") answer.cookies += value + "\n";
    answer.headers[name] = value;
  }
  answer.body = buffer.substr(end + 4);
  const auto length = static_cast<std::size_t>(std::atoi(answer.headers["content-length"].c_str()));
  while (answer.body.size() < length) {
    if (!read_more(fd_, answer.body)) return fail();
  }
  if (core::to_lower(answer.headers["connection"]) == "close") {
    close(fd_);
    fd_ = -1;
  }
  return answer;
}

Answer get(int port, const std::string& path, const std::string& more_headers, const std::string& host,
           const std::string& method) {
  TestClient client(port);
  return client.get(path, more_headers + "Connection: close\r\n", host, method);
}

}  // namespace sampan::elb
