#include "node/log_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "io/file.h"

namespace sampan::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kPiece = 256 * 1024;
constexpr std::uint64_t kPunchStep = 1024 * 1024;  // fewer, larger holes
constexpr std::uint64_t kKept = 16 * 1024 * 1024;  // of a log nobody carries away
constexpr milliseconds kPartPatience{1000};        // how long whole lines wait for an unfinished one
constexpr milliseconds kQuiet{30000};              // without inotify's word
constexpr milliseconds kPoll{500};                 // where inotify does not work

// What follows `offset`, at most `limit`; empty at the end or when the file is not there.
std::string read_piece(const std::filesystem::path& file, std::uint64_t offset, std::size_t limit) {
  io::UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return "";
  if (!fd) throw core::errno_error(fmt::format("open {}", file.string()));
  std::string piece(limit, '\0');
  ssize_t got;
  do {
    got = pread(fd.get(), piece.data(), piece.size(), static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw core::errno_error(fmt::format("read {}", file.string()));
  piece.resize(static_cast<std::size_t>(got));
  return piece;
}

// Frees the blocks of [begin, end); a file system that cannot is left alone.
void punch_hole(const std::filesystem::path& file, std::uint64_t begin, std::uint64_t end) {
  io::UniqueFd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return;
  fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
            static_cast<off_t>(end - begin));
}

std::uint64_t size_of(const std::filesystem::path& file) {
  struct stat facts;
  return stat(file.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

}  // namespace

LogTail::LogTail(io::Executors& executors, FileWatch& watch, LogSink* sink, LogStream stream,
                 std::filesystem::path file)
    : executors_(executors),
      watch_(&watch),
      sink_(sink),
      stream_(std::move(stream)),
      file_(std::move(file)),
      bell_(executors.control()) {}

void LogTail::finish() {
  ending_ = true;
  bell_.ring();
}

void LogTail::abandon() {
  abandoned_ = true;
  if (watch_) watch_->drop(file_);
  watch_ = nullptr;
  bell_.ring();
}

io::Awaitable<void> LogTail::run() {
  auto self = shared_from_this();
  bool watched = watch_ && watch_->add(file_, [weak = weak_from_this()] {
    if (auto tail = weak.lock()) tail->bell_.ring();
  });
  std::uint64_t offset = sink_ ? co_await sink_->resume_offset(stream_) : 0;
  LogLines lines(offset);
  while (!abandoned_) {
    bool ending = ending_;  // before reading: what came before the end is read after it was told
    if (sink_) {
      co_await carry(lines);
    } else {
      co_await shorten();
    }
    if (ending || abandoned_) break;
    if (!watched && watch_) {
      watched = watch_->add(file_, [weak = weak_from_this()] {
        if (auto tail = weak.lock()) tail->bell_.ring();
      });
      if (watched) continue;  // written to between reading and watching
    }
    bool blocked = lines.blocked();
    milliseconds limit = blocked ? kPartPatience : watched ? kQuiet : kPoll;
    bool rung = co_await bell_.wait_for(limit);
    if (!rung && blocked) lines.flush();
  }
  if (sink_ && !abandoned_) {
    lines.flush();
    auto rest = lines.take();
    if (!rest.lines.empty()) co_await store(std::move(rest));
  }
  if (watch_) watch_->drop(file_);
  done_ = true;
}

// Everything that is in the file by now.
io::Awaitable<void> LogTail::carry(LogLines& lines) {
  while (!abandoned_) {
    auto piece = co_await io::offload(
        executors_, [file = file_, at = lines.fed()] { return read_piece(file, at, kPiece); });
    lines.feed(piece);
    auto batch = lines.take();
    if (!batch.lines.empty()) co_await store(std::move(batch));
    if (piece.empty()) co_return;
  }
}

io::Awaitable<void> LogTail::store(LogLines::Batch batch) {
  milliseconds pause{500};
  while (!abandoned_) {
    std::string failure;
    try {
      auto copy = batch.lines;
      co_await sink_->append(stream_, std::move(copy), batch.end);
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (failure.empty()) break;
    core::log::warn("log stream {} of {}: {}; trying again", stream_.stream, stream_.group, failure);
    co_await io::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds(30000));
  }
  if (batch.end < punched_ + kPunchStep) co_return;
  auto begin = punched_;
  punched_ = batch.end;
  co_await io::offload(executors_, [file = file_, begin, end = batch.end] { punch_hole(file, begin, end); });
}

io::Awaitable<void> LogTail::shorten() {
  auto punched = co_await io::offload(executors_, [file = file_, begin = punched_] {
    auto size = size_of(file);
    if (size < begin + kKept + kPunchStep) return begin;
    punch_hole(file, begin, size - kKept);
    return size - kKept;
  });
  punched_ = punched;
}

}  // namespace sampan::node
