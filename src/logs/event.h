// One log event and its place among all others. Pure values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace sampan::logs {

using Millis = std::int64_t;  // since 1970, as the API's timestamps are

struct NewEvent {
  Millis time = 0;
  std::string message;
};

struct Event {
  Millis time = 0;
  Millis ingested = 0;
  std::uint64_t index = 0;  // of the event in its stream, in order of arrival
  std::string message;
};

// The order in which events are read: by time, then by stream, then by arrival. As a position it lies just
// before the event of that key.
struct Key {
  Millis time = 0;
  std::string stream;  // its id; empty where there is only one
  std::uint64_t index = 0;

  auto operator<=>(const Key&) const = default;
};

}  // namespace sampan::logs
