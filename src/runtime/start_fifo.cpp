#include "runtime/start_fifo.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "core/error.h"
#include "io/file.h"

namespace sampan::runtime {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr int kGlance = 20;  // ms between looks whether the process still lives

// Not blocking: true when the byte was there.
bool take_byte(int fd) {
  char bytes[16];
  const ssize_t size = ::read(fd, bytes, sizeof bytes);
  if (size < 0 && errno != EAGAIN && errno != EINTR) throw core::errno_error("read the container's fifo");
  return size > 0;
}

}  // namespace

bool start_by_fifo(const std::filesystem::path& fifo, const std::optional<io::PidFd>& first_process) {
  const io::UniqueFd fd(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return false;
  if (!fd) throw core::errno_error("open " + fifo.string());
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    // Looked at before the fifo: what ends after it has written is started.
    const bool gone = !first_process || first_process->has_exited();
    if (take_byte(fd.get())) break;
    if (gone) throw core::Error("cannot start a container that has stopped");
    if (std::chrono::steady_clock::now() > deadline) throw core::Error("the container did not become ready");
    pollfd waiting{fd.get(), POLLIN, 0};
    ::poll(&waiting, 1, kGlance);
  }
  // Its absence tells the runtime and us that the container runs.
  if (::unlink(fifo.c_str()) != 0 && errno != ENOENT) throw core::errno_error("remove " + fifo.string());
  return true;
}

}  // namespace sampan::runtime
