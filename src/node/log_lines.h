// A container's log file as its monitor writes it (k8s-file), turned into lines and into the offset up to
// which the file may be forgotten. Pure.
//
//   2026-11-22T23:16:42.766348157+00:00 stdout F a whole line
//   2026-11-22T23:16:42.766348157+00:00 stderr P a part, the line goes on in the next of that stream
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/log_sink.h"

namespace sampan::node {

// "2026-11-22T23:16:42.766348157+00:00" or with 'Z'; nothing when it is not one.
std::optional<core::TimePoint> parse_log_time(std::string_view text);

class LogLines {
 public:
  // CloudWatch Logs takes events of 256 KiB, 26 bytes of them its own.
  static constexpr std::size_t kLongest = 256 * 1024 - 26;

  explicit LogLines(std::uint64_t offset) : start_(offset) {}

  // What follows in the file. Lines longer than kLongest are cut into several.
  void feed(std::string_view bytes);
  // An unfinished line counts as finished: its writer is gone, or others have waited for it too long.
  void flush();

  struct Batch {
    std::vector<LogLine> lines;
    std::uint64_t end = 0;  // reading can begin here again without losing or doubling anything
  };
  // Lines in the order they began, up to the first unfinished one.
  Batch take();
  // Whole lines wait behind an unfinished one.
  bool blocked() const;
  // Where the next feed() begins in the file.
  std::uint64_t fed() const { return start_ + raw_.size(); }

 private:
  struct Item {
    std::uint64_t start;
    LogLine line;
    int stream;
    bool whole;
  };
  void record(std::string_view line, std::uint64_t start);
  Item* open_item(int stream);

  std::uint64_t start_;  // of raw_ in the file
  std::string raw_;      // a record whose end has not been read
  std::deque<Item> items_;
};

}  // namespace sampan::node
