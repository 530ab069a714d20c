#include <boost/json.hpp>

#include "core/text.h"
#include "runtime/oci_runtime.h"

namespace sampan::runtime {
namespace {

namespace json = boost::json;

// The last error of a log in JSON lines, or the last line of plain text.
std::string last_message(std::string_view said) {
  std::string message;
  for (const std::string& line : core::split(said, '\n')) {
    const std::string_view text = core::trim(line);
    if (text.empty()) continue;
    boost::system::error_code error;
    const json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) {
      message = std::string(text);
      continue;
    }
    const json::value* level = parsed.as_object().if_contains("level");
    const json::value* words = parsed.as_object().if_contains("msg");
    const bool is_error = level == nullptr || !level->is_string() || level->as_string() == "error" ||
                          level->as_string() == "fatal";
    if (is_error && words != nullptr && words->is_string()) message = std::string(words->as_string());
  }
  return message;
}

void drop_prefix(std::string& text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.erase(0, prefix.size());
}

// crun: "executable file `nope` not found in $PATH: No such file or directory".
std::string in_runc_words(const std::string& text) {
  const std::string_view start = "executable file `";
  const std::size_t from = text.find(start);
  const std::size_t to = text.find("` not found", from == std::string::npos ? 0 : from + start.size());
  if (from == std::string::npos || to == std::string::npos) return text;
  const std::string name = text.substr(from + start.size(), to - from - start.size());
  const bool is_path = name.find('/') != std::string::npos;
  return "exec: \"" + name + "\": " +
         (is_path ? "stat " + name + ": no such file or directory" : "executable file not found in $PATH");
}

}  // namespace

std::string explain_runtime_failure(std::string_view said) {
  std::string text = last_message(said);
  for (const std::string_view prefix :
       {"runc run failed: ", "runc create failed: ", "exec failed: ", "unable to start container process: ",
        "container_linux.go: ", "starting container process caused: "}) {
    drop_prefix(text, prefix);
  }
  text = in_runc_words(text);
  return text.empty() ? "the container runtime gave no reason" : text;
}

}  // namespace sampan::runtime
