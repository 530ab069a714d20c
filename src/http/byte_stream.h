// A connected stream socket (TCP or Unix) as coroutines see it: tries the system call first and waits for
// readiness only when there is nothing to do, so that a body of any size costs few trips through the reactor.
#pragma once

#include <sys/uio.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

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
  Socket socket_;
  int failure_ = 0;
};

iovec part_of(std::string_view bytes);

}  // namespace sampan::http
