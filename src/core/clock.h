// Time as the control plane sees it: passed in, so that tests and simulations own it.
#pragma once

#include <chrono>
#include <string>

namespace sampan::core {

// Wall-clock time, to the millisecond, as AWS timestamps are.
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;
using Millis = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
};

class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start) : now_(start) {}
  TimePoint now() const override { return now_; }
  void advance(Millis by) { now_ += by; }

 private:
  TimePoint now_;
};

double to_epoch_seconds(TimePoint time);
TimePoint from_epoch_seconds(double seconds);
std::string to_iso8601(TimePoint time);  // 2026-11-22T23:16:42.766Z

}  // namespace sampan::core
