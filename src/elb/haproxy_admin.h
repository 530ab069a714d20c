// HAProxy's admin socket: one command line, its answer; and what `show stat` and the health log say. The
// parsers are pure; ask_haproxy() blocks (call it on the blocking pool).
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::elb {

// Sends `commands` (joined with ';' if several) and gives all that comes back. Throws core::Error.
std::string ask_haproxy(const std::filesystem::path& socket, const std::string& commands,
                        std::chrono::milliseconds timeout = std::chrono::seconds(5));

// A server's line of `show stat`.
struct ServerStat {
  std::string backend;
  std::string server;
  std::string status;        // "UP", "DOWN", "UP 1/2", "DOWN 1/5", "MAINT", "DRAIN", "no check"
  std::string check_status;  // "L7OK", "L7STS", "L4CON", "INI"; without the "* " of a check under way
  int check_code = 0;        // the HTTP status, when there was one
  std::string last_check;    // "Connection refused"
  bool is_up() const { return status.starts_with("UP") || status == "no check"; }
  bool is_draining() const { return status.starts_with("DRAIN"); }
  bool is_in_maintenance() const { return status.starts_with("MAINT"); }
  bool last_check_passed() const { return check_status == "L7OK" || check_status == "L7OKC"; }
};
// Unknown columns are passed over, lines of frontends and whole backends left out.
std::vector<ServerStat> parse_stat(std::string_view csv);

// The value of a line "NAME: VALUE" in `show info`; nothing when there is no such line.
std::optional<std::string> info_value(std::string_view info, std::string_view name);

// True when a datagram from the log socket tells of a health check.
bool tells_of_health(std::string_view datagram);

}  // namespace sampan::elb
