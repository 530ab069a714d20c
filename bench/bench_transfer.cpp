// bench_transfer put FILE|get PORT [NAME: VALUE]... -- TARGET...: one large transfer a target, each over a
// connection of its own to 127.0.0.1, all at once, with as little of the machine as a client can use: the
// file is sent from the page cache (sendfile), what comes is counted and dropped in the kernel (MSG_TRUNC).
// Prints one line of JSON: {"ms": from the first connect to the last answer, "bytes": of all bodies}.
//
// Any answer but 200 or 201, or another length than announced, ends it with exit 1.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kPiece = 1 << 20;
constexpr std::size_t kLongestHead = 64 * 1024;

struct Job {
  bool put = false;
  std::uint16_t port = 0;
  std::string file;
  std::string headers;
};

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fail("connect");
  return fd;
}

void send_text(int socket, std::string_view text, int flags) {
  while (!text.empty()) {
    const auto sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | flags);
    if (sent < 0) fail("send");
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::uint64_t send_file(int socket, int file, std::uint64_t size) {
  off_t at = 0;
  while (static_cast<std::uint64_t>(at) < size) {
    if (::sendfile(socket, file, &at, kPiece) <= 0) fail("sendfile");
  }
  return size;
}

std::uint64_t number_in(std::string_view head, std::string_view name) {
  const auto found = head.find(name);
  if (found == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  const auto* begin = head.data() + head.find_first_not_of(' ', found + name.size());
  std::from_chars(begin, head.data() + head.size(), number);
  return number;
}

// Takes one answer; gives its body's length.
std::uint64_t take_answer(int socket) {
  std::string head(kLongestHead, '\0');
  std::size_t used = 0;
  std::size_t end = std::string::npos;
  while ((end = std::string_view(head).substr(0, used).find("\r\n\r\n")) == std::string::npos) {
    const auto got = ::recv(socket, head.data() + used, head.size() - used, 0);
    if (got <= 0) fail("read the answer's head");
    used += static_cast<std::size_t>(got);
  }
  const auto text = std::string_view(head).substr(0, end + 2);
  const auto status = number_in(text, "HTTP/1.1 ");
  if (status != 200 && status != 201) throw std::runtime_error("answered: " + head.substr(0, used));
  const auto length = number_in(text, "\r\nContent-Length:");
  for (auto left = length - (used - end - 4); left > 0;) {
    const auto got = ::recv(socket, nullptr, std::min<std::uint64_t>(left, kPiece), MSG_TRUNC);
    if (got <= 0) fail("read the answer's body");
    left -= static_cast<std::uint64_t>(got);
  }
  return length;
}

std::uint64_t transfer(const Job& job, const std::string& target) {
  std::string head = (job.put ? "PUT " : "GET ") + target +
                     " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(job.port) + "\r\n" + job.headers;
  int file = -1;
  struct stat info{};
  if (job.put) {
    file = ::open(job.file.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 || ::fstat(file, &info) != 0) fail(job.file);
    head +=
        "Content-Type: application/octet-stream\r\nContent-Length: " + std::to_string(info.st_size) + "\r\n";
  }
  head += "\r\n";
  const int socket = connect_to(job.port);
  send_text(socket, head, job.put ? MSG_MORE : 0);
  const auto sent = job.put ? send_file(socket, file, static_cast<std::uint64_t>(info.st_size)) : 0;
  const auto got = take_answer(socket);
  ::close(socket);
  if (file >= 0) ::close(file);
  return job.put ? sent : got;
}

int usage() {
  std::fprintf(stderr, "usage: bench_transfer put FILE|get PORT [HEADER]... -- TARGET...\n");
  return 2;
}

int run(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  const auto dashes = std::find(args.begin(), args.end(), "--");
  if (dashes == args.end()) return usage();
  const std::vector<std::string> targets(dashes + 1, args.end());
  args.erase(dashes, args.end());
  Job job;
  job.put = !args.empty() && args[0] == "put";
  const std::size_t port = job.put ? 2 : 1;
  if (args.size() <= port || targets.empty()) return usage();
  if (job.put) job.file = args[1];
  job.port = static_cast<std::uint16_t>(std::stoi(args[port]));
  for (std::size_t i = port + 1; i < args.size(); ++i) job.headers += args[i] + "\r\n";
  const auto count = targets.size();
  std::vector<std::uint64_t> bytes(count);
  std::vector<std::string> failures(count);
  const auto from = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        try {
          bytes[i] = transfer(job, targets[i]);
        } catch (const std::exception& error) {
          failures[i] = error.what();
        }
      });
    }
  }
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - from;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!failures[i].empty()) throw std::runtime_error(failures[i]);
    total += bytes[i];
  }
  std::printf("{\"ms\": %.3f, \"bytes\": %llu}\n", taken.count(), static_cast<unsigned long long>(total));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_transfer: %s\n", error.what());
    return 1;
  }
}
