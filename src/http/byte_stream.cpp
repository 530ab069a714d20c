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
constexpr std::size_t kTlsPiece = 256 * 1024;

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
  if (tls_) co_return co_await receive_tls(buffer, nullptr);
  error_code error;
  const auto into = asio::buffer(buffer.data(), buffer.size());
  const std::size_t n =
      co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  co_return error ? 0 : n;
}

io::Awaitable<std::size_t> ByteStream::receive(std::span<char> buffer, const Progress& progress) {
  if (tls_) co_return co_await receive_tls(buffer, progress);
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
  if (tls_) return try_send_tls(parts);
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
  if (tls_) co_return co_await send_file_tls(file, offset, length, progress);
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
  if (tls_) co_return co_await wait_for(stuck_);
  co_await socket_.async_wait(Socket::wait_write, asio::use_awaitable);
}

void ByteStream::say_farewell() {
  if (tls_) tls_->say_farewell();
}

void ByteStream::end_sending() {
  say_farewell();
  ::shutdown(fd(), SHUT_WR);
}

io::Awaitable<void> ByteStream::wait_for(TlsChannel::Result wanted) {
  const bool reads = wanted == TlsChannel::Result::kWantsRead;
  co_await socket_.async_wait(reads ? Socket::wait_read : Socket::wait_write, asio::use_awaitable);
}

io::Awaitable<bool> ByteStream::begin_tls(std::shared_ptr<ssl_ctx_st> context) {
  tls_ = std::make_unique<TlsChannel>(std::move(context), fd());
  while (true) {
    const auto result = tls_->shake_hands();
    if (result == TlsChannel::Result::kDone) co_return true;
    if (result != TlsChannel::Result::kWantsRead && result != TlsChannel::Result::kWantsWrite)
      co_return false;
    co_await wait_for(result);
  }
}

io::Awaitable<std::size_t> ByteStream::receive_tls(std::span<char> buffer, const Progress& progress) {
  while (true) {
    std::size_t n = 0;
    const auto result = tls_->read(buffer, n);
    if (result == TlsChannel::Result::kDone) co_return n;
    if (result == TlsChannel::Result::kEnded) co_return 0;
    if (result == TlsChannel::Result::kBroken) {
      failure_ = EPROTO;
      co_return 0;
    }
    if (progress) progress();
    co_await wait_for(result);
  }
}

bool ByteStream::try_send_tls(std::span<iovec> parts) {
  for (iovec& part : parts) {
    while (part.iov_len > 0) {
      std::size_t n = 0;
      const auto result = tls_->write({static_cast<const char*>(part.iov_base), part.iov_len}, n);
      if (result == TlsChannel::Result::kEnded || result == TlsChannel::Result::kBroken) {
        throw core::Error("send to the peer over TLS", tls_->fault());
      }
      if (result != TlsChannel::Result::kDone) {
        stuck_ = result;
        return false;
      }
      part.iov_base = static_cast<char*>(part.iov_base) + n;
      part.iov_len -= n;
    }
  }
  return true;
}

// Read and encrypted here: the kernel would need the session's keys to do it.
io::Awaitable<void> ByteStream::send_file_tls(int file, std::uint64_t offset, std::uint64_t length,
                                              const Progress& progress) {
  ::posix_fadvise(file, static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_SEQUENTIAL);
  std::string piece(kTlsPiece, '\0');
  std::uint64_t turn = 0;
  while (length > 0) {
    const ssize_t n = ::pread(file, piece.data(), std::min<std::uint64_t>(length, piece.size()),
                              static_cast<off_t>(offset));
    if (n == 0) throw core::Error("send a file", "it is shorter than announced");
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw core::errno_error("read a file to send");
    iovec parts[] = {part_of(std::string_view(piece).substr(0, static_cast<std::size_t>(n)))};
    if (!try_send_tls(parts)) co_await send(parts, progress);
    offset += static_cast<std::uint64_t>(n);
    length -= static_cast<std::uint64_t>(n);
    turn += static_cast<std::uint64_t>(n);
    if (turn < kTurn) continue;
    turn = 0;
    if (progress) progress();
    co_await asio::post(asio::use_awaitable);
  }
}

}  // namespace sampan::http
