// Carries one container's log file to the LogSink, line by line, for as long as the container lives and until
// its last byte has been stored. Resumes where the sink says, so that a crash neither loses nor doubles a
// line. What the sink has stored is punched out of the file: on the disk it stays small, offsets stay true.
//
// On the control strand; reads on the blocking pool. One append is under way at most: a slow sink slows the
// reading, and the file keeps what is to come.
#pragma once

#include <filesystem>
#include <memory>

#include "io/executors.h"
#include "node/file_watch.h"
#include "node/log_lines.h"
#include "node/log_sink.h"

namespace sampan::node {

class LogTail : public std::enable_shared_from_this<LogTail> {
 public:
  // Without a sink the file is only kept short: its last 16 MiB stay.
  LogTail(io::Executors& executors, FileWatch& watch, LogSink* sink, LogStream stream,
          std::filesystem::path file);

  // Ends after finish() when all is stored, or soon after abandon().
  io::Awaitable<void> run();
  void finish();   // the container has ended: what is in the file now is all
  void abandon();  // stop at once; the sink remembers how far it got
  bool done() const { return done_; }

 private:
  io::Awaitable<void> carry(LogLines& lines);
  io::Awaitable<void> store(LogLines::Batch batch);
  io::Awaitable<void> shorten();

  io::Executors& executors_;
  FileWatch* watch_;  // null after abandon()
  LogSink* sink_;
  LogStream stream_;
  std::filesystem::path file_;
  io::Bell bell_;
  std::uint64_t punched_ = 0;
  bool ending_ = false;
  bool abandoned_ = false;
  bool done_ = false;
};

}  // namespace sampan::node
