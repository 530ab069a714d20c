#include "core/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>

namespace sampan::core::log {
namespace {

std::atomic<Level> g_level{Level::kInfo};
std::atomic<Format> g_format{Format::kText};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kTrace:
      return spdlog::level::trace;
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

void set_pattern(spdlog::logger& logger, Format format) {
  const char* pattern = format == Format::kJson
                            ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})"
                            : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";
  logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
}

// Never destroyed: threads may still log while the process ends.
spdlog::logger& logger() {
  static spdlog::logger* const instance = [] {
    auto* made = new spdlog::logger("sampan", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    set_pattern(*made, Format::kText);
    return made;
  }();
  return *instance;
}

// How many bytes of `rest` are one character of UTF-8, at most 4; 0 when none begins here.
std::size_t character_size(std::string_view rest) {
  const auto first = static_cast<unsigned char>(rest[0]);
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xc2 ? 0
                           : first < 0xe0 ? 2
                           : first < 0xf0 ? 3
                           : first < 0xf5 ? 4
                                          : 0;
  if (size > rest.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(rest[i]) & 0xc0) != 0x80) return 0;
  }
  return size;
}

// Messages quote what strangers sent. A line stays one line, and in JSON also a legal string: control
// characters are written as escapes, what is not UTF-8 as U+FFFD.
std::string one_line(std::string_view message, Format format) {
  std::string line;
  line.reserve(message.size());
  while (!message.empty()) {
    const char c = message[0];
    const auto byte = static_cast<unsigned char>(c);
    const std::size_t size = character_size(message);
    if (size == 0) {
      line.append("\xef\xbf\xbd");
    } else if (format == Format::kJson && (c == '"' || c == '\\')) {
      line.append({'\\', c});
    } else if (c == '\n') {
      line.append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      line.append(fmt::format("\\u{:04x}", byte));
    } else {
      line.append(message.substr(0, size));
    }
    message.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return line;
}

}  // namespace

void configure(Level level, Format format) {
  set_pattern(logger(), format);
  g_format = format;
  g_level = level;
}

bool enabled(Level level) {
  return level >= g_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message) {
  logger().log(to_spdlog(level), spdlog::string_view_t(one_line(message, g_format)));
}

}  // namespace sampan::core::log
