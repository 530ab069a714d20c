// A connected stream socket (TCP or Unix) as coroutines see it: tries the system call first and waits for
// readiness only when there is nothing to do, so that a body of any size costs few trips through the reactor.
// A server's may speak TLS, from begin_tls() on: the same calls, with a copy more.
#pragma once

#include <sys/uio.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "http/tls_channel.h"
#include "io/executors.h"
#include "io/file.h"

namespace sampan::http {

class ByteStream {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  // Called whenever bytes are about to be waited for: moves the deadline.
  using Progress = std::function<void()>;

  // Takes the descriptor, non-blocking from now on.
  ByteStream(const boost::asio::any_io_executor& executor, io::UniqueFd fd, int family);

  int fd() { return socket_.native_handle(); }
  Socket& socket() { return socket_; }

  // The server's handshake. False when the peer speaks no TLS, or none that we do, or goes away.
  io::Awaitable<bool> begin_tls(std::shared_ptr<ssl_ctx_st> context);
  bool tls() const { return tls_ != nullptr; }
  // Ends what we send; the peer may still.
  void end_sending();
  // Of TLS: a peer can tell an orderly end from a cut. Nothing otherwise.
  void say_farewell();

  // Waits, then reads; 0 at the end, and when the peer reset the connection or it was shut down.
  io::Awaitable<std::size_t> wait_and_receive(std::span<char> buffer);
  // As above, but reads at once what is there. failure() tells a reset connection from one that ended.
  io::Awaitable<std::size_t> receive(std::span<char> buffer, const Progress& progress);

  int failure() const { return failure_; }  // errno of the receive() that gave 0, or 0

  // True when all of it went out at once, which is the rule for small responses: no coroutine needed.
  // What went out is taken off `parts`. Throws core::Error when the peer is gone.
  bool try_send(std::span<iovec> parts, int flags = 0);
  io::Awaitable<void> send(std::span<iovec> parts, const Progress& progress);
  // Straight from the page cache; throws core::Error when the peer is gone or the file is too short.
  io::Awaitable<void> send_file(int file, std::uint64_t offset, std::uint64_t length,
                                const Progress& progress);

 private:
  io::Awaitable<void> wait_writable();
  io::Awaitable<void> wait_for(TlsChannel::Result wanted);
  io::Awaitable<std::size_t> receive_tls(std::span<char> buffer, const Progress& progress);
  bool try_send_tls(std::span<iovec> parts);
  io::Awaitable<void> send_file_tls(int file, std::uint64_t offset, std::uint64_t length,
                                    const Progress& progress);

  Socket socket_;
  std::unique_ptr<TlsChannel> tls_;  // null: plain. After the socket: it ends before that is closed
  TlsChannel::Result stuck_ = TlsChannel::Result::kWantsWrite;  // what a write waits for
  int failure_ = 0;
};

iovec part_of(std::string_view bytes);

}  // namespace sampan::http
