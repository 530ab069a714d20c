// Where the lines of containers go. The logs folder implements this; the agent feeds it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"

namespace sampan::node {

struct LogStream {
  std::string account;
  std::string region;
  std::string group;
  std::string stream;  // PREFIX/CONTAINER/TASKID
};

struct LogLine {
  core::TimePoint time;
  std::string text;  // without the newline
};

class LogSink {
 public:
  virtual ~LogSink() = default;
  // Makes the stream (and, if asked, the group). Throws core::Error("The specified log group does not exist.")
  // when the group is absent and may not be made. Idempotent.
  virtual boost::asio::awaitable<void> open(const LogStream& stream, bool create_group) = 0;
  // The source offset given with the last append that survived; 0 for a new stream.
  virtual boost::asio::awaitable<std::uint64_t> resume_offset(const LogStream& stream) = 0;
  // Appends lines together with the offset in the source file that follows them, so that a crash
  // between append and return neither loses nor doubles a line. One append a stream at a time.
  virtual boost::asio::awaitable<void> append(const LogStream& stream, std::vector<LogLine> lines,
                                              std::uint64_t source_end) = 0;
};

}  // namespace sampan::node
