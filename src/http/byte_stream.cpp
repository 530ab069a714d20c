#include "http/byte_stream.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>

#include "core/error.h"

namespace sampan::http {
namespace {

using boost::system::error_code;
namespace asio = io::asio;

// So much goes to one fast peer before other connections of the thread get their turn.
constexpr std::uint64_t kTurn = 8 * 1024 * 1024;
constexpr std::size_t kSendfilePiece = 1024 * 1024;

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

void take_off(std::span<iovec> parts, std::size_t sent) {
  for (iovec& part : parts) {
    const std::size_t n = std::min(part.iov_len, sent);
    part.iov_base = static_cast<char*>(part.iov_base) + n;
    part.iov_len -= n;
    sent -= n;
  }
}

bool all_sent(std::span<const iovec> parts) {
  return std::all_of(parts.begin(), parts.end(), [](const iovec& part) { return part.iov_len == 0; });
}

}  // namespace

iovec part_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

ByteStream::ByteStream(const asio::any_io_executor& executor, io::UniqueFd fd, int family)
    : socket_(executor) {
  socket_.assign(asio::generic::stream_protocol(family, 0), fd.get());
  fd.release();
  socket_.native_non_blocking(true);
}

io::Awaitable<std::size_t> ByteStream::wait_and_receive(std::span<char> buffer) {
  error_code error;
  const auto into = asio::buffer(buffer.data(), buffer.size());
  const std::size_t n =
      co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  co_return error ? 0 : n;
}

io::Awaitable<std::size_t> ByteStream::receive(std::span<char> buffer, const Progress& progress) {
  while (true) {
    const ssize_t n = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n >= 0) co_return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    if (!would_block()) {
      failure_ = errno;
      co_return 0;
    }
    if (progress) progress();
    co_await socket_.async_wait(Socket::wait_read, asio::use_awaitable);
  }
}

bool ByteStream::try_send(std::span<iovec> parts, int flags) {
  while (!all_sent(parts)) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t n = ::sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT | flags);
    if (n >= 0) {
      take_off(parts, static_cast<std::size_t>(n));
    } else if (would_block()) {
      return false;
    } else if (errno != EINTR) {
      throw core::errno_error("send to the peer");
    }
  }
  return true;
}

io::Awaitable<void> ByteStream::send(std::span<iovec> parts, const Progress& progress) {
  while (!try_send(parts)) {
    if (progress) progress();
    co_await wait_writable();
  }
}

io::Awaitable<void> ByteStream::send_file(int file, std::uint64_t offset, std::uint64_t length,
                                          const Progress& progress) {
  ::posix_fadvise(file, static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_SEQUENTIAL);
  auto at = static_cast<off_t>(offset);
  std::uint64_t turn = 0;
  while (length > 0) {
    const ssize_t n = ::sendfile(fd(), file, &at, std::min<std::uint64_t>(length, kSendfilePiece));
    if (n == 0) throw core::Error("send a file", "it is shorter than announced");
    if (n > 0) {
      length -= static_cast<std::uint64_t>(n);
      turn += static_cast<std::uint64_t>(n);
      if (turn < kTurn) continue;
      turn = 0;
      if (progress) progress();
      co_await asio::post(asio::use_awaitable);
    } else if (would_block()) {
      turn = 0;
      if (progress) progress();
      co_await wait_writable();
    } else if (errno != EINTR) {
      throw core::errno_error("send a file to the peer");
    }
  }
}

io::Awaitable<void> ByteStream::wait_writable() {
  co_await socket_.async_wait(Socket::wait_write, asio::use_awaitable);
}

}  // namespace sampan::http
