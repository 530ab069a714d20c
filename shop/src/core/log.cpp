#include "core/log.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/JSON/Object.h>
#include <unistd.h>

#include <atomic>
#include <sstream>

namespace shop::core::log {
namespace {

std::atomic<bool> only_errors{false};

void write(std::string_view level, std::string_view message, Fields fields) {
  Poco::JSON::Object line(Poco::JSON_PRESERVE_KEY_ORDER);
  line.set("time", Poco::DateTimeFormatter::format(Poco::Timestamp(), "%Y-%m-%dT%H:%M:%s.%iZ").substr(0, 24));
  line.set("level", std::string(level));
  line.set("message", std::string(message));
  for (const auto& [name, value] : fields) line.set(std::string(name), value);
  std::ostringstream text;
  line.stringify(text);
  const auto bytes = text.str() + "\n";  // one write: lines of several threads do not mix
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
}

}  // namespace

void info(std::string_view message, Fields fields) {
  if (!only_errors) write("info", message, fields);
}
void warn(std::string_view message, Fields fields) {
  if (!only_errors) write("warn", message, fields);
}
void error(std::string_view message, Fields fields) {
  write("error", message, fields);
}
void quiet(bool value) {
  only_errors = value;
}

}  // namespace shop::core::log
