// What `sampan` prints: tables, times, and a progress display that is plain lines when stdout is no terminal.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/clock.h"

namespace sampan::cli {

// Columns padded to their widest cell; the header in upper case.
std::string render_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);
std::string ago(core::TimePoint then, core::TimePoint now);  // "12s ago", "3h ago"
std::string human_bytes(std::int64_t bytes);                 // "61.3 MB"
// The part after the last '/' of an ARN.
std::string short_arn(const std::string& arn);

// One running line at a time. begin() starts it, update() replaces its text, done() ends it with a mark and its time.
class Progress {
 public:
  explicit Progress(bool interactive) : interactive_(interactive) {}
  ~Progress();
  void begin(const std::string& text);
  void update(const std::string& text);
  void done(const std::string& text = "");
  void line(const std::string& text);  // a line of its own above the running one

 private:
  void clear();
  void draw();
  bool interactive_;
  bool running_ = false;
  std::string text_;
  std::string shown_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace sampan::cli
