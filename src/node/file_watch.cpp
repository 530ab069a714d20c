#include "node/file_watch.h"

#include <sys/inotify.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstring>

#include "core/error.h"

namespace sampan::node {

struct FileWatch::State : std::enable_shared_from_this<State> {
  explicit State(const io::Strand& strand) : events(strand) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) throw core::errno_error("open inotify");
    events.assign(fd);
  }

  void listen() {
    auto self = shared_from_this();
    events.async_read_some(boost::asio::buffer(buffer),
                           [self](boost::system::error_code error, std::size_t size) {
                             if (error) return;
                             self->dispatch(size);
                             self->listen();
                           });
  }

  void dispatch(std::size_t size) {
    for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += sizeof event + event.len;
      auto found = callbacks.find(event.wd);
      if (found == callbacks.end()) continue;
      auto changed = found->second;  // a copy: it may drop itself
      changed();
    }
  }

  boost::asio::posix::stream_descriptor events;
  std::map<int, std::function<void()>> callbacks;
  std::map<std::filesystem::path, int> watches;
  alignas(inotify_event) std::array<char, 4096> buffer;
};

FileWatch::FileWatch(const io::Strand& strand) : state_(std::make_shared<State>(strand)) {
  state_->listen();
}

FileWatch::~FileWatch() {
  state_->callbacks.clear();
  boost::system::error_code ignored;
  state_->events.close(ignored);
}

bool FileWatch::add(const std::filesystem::path& file, std::function<void()> changed) {
  int watch = inotify_add_watch(state_->events.native_handle(), file.c_str(), IN_MODIFY);
  if (watch < 0) return false;
  state_->watches[file] = watch;
  state_->callbacks[watch] = std::move(changed);
  return true;
}

void FileWatch::drop(const std::filesystem::path& file) {
  auto found = state_->watches.find(file);
  if (found == state_->watches.end()) return;
  inotify_rm_watch(state_->events.native_handle(), found->second);
  state_->callbacks.erase(found->second);
  state_->watches.erase(found);
}

}  // namespace sampan::node
