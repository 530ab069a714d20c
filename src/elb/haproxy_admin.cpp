#include "elb/haproxy_admin.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "core/error.h"
#include "core/text.h"
#include "io/file.h"

namespace sampan::elb {
namespace {

constexpr std::size_t kMostAnswer = 64 * 1024 * 1024;

io::UniqueFd connect_to(const std::filesystem::path& path, const std::string& tried) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = path.string();
  if (text.size() >= sizeof address.sun_path) throw core::Error(tried, "the socket's path is too long");
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  io::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw core::errno_error(tried);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw core::errno_error(tried);
  return fd;
}

// A field of CSV from the front of `line`; quoted fields may hold commas.
std::string take_field(std::string_view& line) {
  std::string field;
  if (!line.empty() && line.front() == '"') {
    line.remove_prefix(1);
    while (!line.empty()) {
      const char c = line.front();
      line.remove_prefix(1);
      if (c == '"') {
        if (line.empty() || line.front() != '"') break;
        line.remove_prefix(1);
      }
      field += c;
    }
  }
  const auto end = std::min(line.find(','), line.size());
  field += line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  while (!line.empty()) fields.push_back(take_field(line));
  return fields;
}

}  // namespace

std::string ask_haproxy(const std::filesystem::path& socket_path, const std::string& commands,
                        std::chrono::milliseconds timeout) {
  const auto tried = fmt::format("asking haproxy at {}", socket_path.string());
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const auto fd = connect_to(socket_path, tried);
  io::write_all(fd.get(), commands + '\n');
  std::string answer;
  char buffer[65536];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd.get(), POLLIN, 0};
    const int ready = left.count() > 0 ? poll(&waiting, 1, static_cast<int>(left.count())) : 0;
    if (ready == 0) throw core::Error(tried, "no answer in time");
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) throw core::errno_error(tried);
    const auto got = read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw core::errno_error(tried);
    if (got == 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(got));
    if (answer.size() > kMostAnswer) throw core::Error(tried, "the answer is too long");
  }
}

std::vector<ServerStat> parse_stat(std::string_view csv) {
  std::vector<ServerStat> stats;
  std::map<std::string, std::size_t, std::less<>> columns;
  while (!csv.empty()) {
    const auto end = std::min(csv.find('\n'), csv.size());
    auto line = csv.substr(0, end);
    csv.remove_prefix(std::min(end + 1, csv.size()));
    if (line.empty()) continue;
    if (line.starts_with("# ")) {
      line.remove_prefix(2);
      columns.clear();
      for (auto& name : fields_of(line)) columns.emplace(std::move(name), columns.size());
      continue;
    }
    const auto fields = fields_of(line);
    const auto field = [&](std::string_view name) -> std::string {
      const auto found = columns.find(name);
      return found != columns.end() && found->second < fields.size() ? fields[found->second] : std::string();
    };
    if (field("type") != "2") continue;  // 0 frontend, 1 backend, 2 server, 3 listener
    ServerStat stat;
    stat.backend = field("pxname");
    stat.server = field("svname");
    stat.status = field("status");
    stat.check_status = field("check_status");
    if (stat.check_status.starts_with("* ")) stat.check_status.erase(0, 2);
    stat.check_code = static_cast<int>(core::parse_int(field("check_code")).value_or(0));
    stat.last_check = field("last_chk");
    stats.push_back(std::move(stat));
  }
  return stats;
}

std::optional<std::string> info_value(std::string_view info, std::string_view name) {
  for (const auto& line : core::split(info, '\n')) {
    const auto colon = line.find(": ");
    if (colon != std::string::npos && std::string_view(line).substr(0, colon) == name)
      return line.substr(colon + 2);
  }
  return std::nullopt;
}

bool tells_of_health(std::string_view datagram) {
  return datagram.find("Health check for ") != std::string_view::npos ||
         (datagram.find("Server ") != std::string_view::npos &&
          datagram.find(" is ") != std::string_view::npos);
}

}  // namespace sampan::elb
