#include "io/pidfd.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>

#include "core/error.h"
#include "core/text.h"

namespace sampan::io {
namespace {

UniqueFd duplicate(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) throw core::errno_error("duplicate a pid descriptor");
  return copy;
}

Awaitable<void> wait_readable(UniqueFd fd) {
  const auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor descriptor(executor);
  descriptor.assign(fd.get());  // throws when the kernel has no room to watch it: still ours then
  fd.release();
  co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

// Both sides of `||` live on the caller's strand: Boost 1.81 ends the process when a side that runs on another
// executor is cancelled.
Awaitable<bool> wait_readable_for(UniqueFd fd, std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  const auto first = co_await (wait_readable(std::move(fd)) || sleep_for(limit));
  co_return first.index() == 0;
}

}  // namespace

std::optional<ProcessIdentity> identify_process(pid_t pid) {
  // A process that ends between open and read gives ESRCH: the same as not being there.
  const UniqueFd fd(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t size = fd ? ::read(fd.get(), text, sizeof(text)) : -1;
  if (size <= 0) return std::nullopt;
  // The name, field 2, may hold anything, also ") ": what follows its last ')' is field 3.
  std::string_view line(text, static_cast<std::size_t>(size));
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  const auto fields = core::split(core::trim(line.substr(name_end + 1)), ' ');
  if (fields.size() < 20) return std::nullopt;
  const auto start = core::parse_int(fields[19]);
  if (!start) return std::nullopt;
  return ProcessIdentity{pid, static_cast<std::uint64_t>(*start)};
}

std::optional<PidFd> PidFd::open(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (fd) return PidFd(pid, std::move(fd));
  // EINVAL: the number is a thread's, so no process has it.
  if (errno == ESRCH || errno == EINVAL) return std::nullopt;
  throw core::errno_error(fmt::format("open a descriptor of process {}", pid));
}

std::optional<PidFd> PidFd::open(const ProcessIdentity& identity) {
  auto opened = open(identity.pid);
  // Looked at after opening: if it is the right process now, the descriptor is its descriptor.
  if (!opened || identify_process(identity.pid) != identity) return std::nullopt;
  return opened;
}

bool PidFd::has_exited() const {
  pollfd poll{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, 0) > 0;
}

bool PidFd::send_signal(int signal) const {
  if (::syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0) == 0) return true;
  if (errno == ESRCH) return false;
  throw core::errno_error(fmt::format("send signal {} to process {}", signal, pid_));
}

Awaitable<void> PidFd::wait_exit() const {
  return wait_readable(duplicate(fd_.get()));
}

Awaitable<bool> PidFd::wait_exit_for(std::chrono::milliseconds limit) const {
  // A strand of its own: timer and descriptor may end on two threads at once.
  auto work = [](UniqueFd fd, std::chrono::milliseconds wait) -> Awaitable<bool> {
    const auto executor = co_await asio::this_coro::executor;
    auto started = wait_readable_for(std::move(fd), wait);
    co_return co_await asio::co_spawn(asio::make_strand(executor), std::move(started), asio::use_awaitable);
  };
  return work(duplicate(fd_.get()), limit);
}

}  // namespace sampan::io
