#include "node/etc_files.h"

#include "core/text.h"
#include "io/file.h"

namespace sampan::node {
namespace {

constexpr std::size_t kLimit = 64 * 1024;

bool is_loopback(std::string_view server) {
  return server.starts_with("127.") || server == "::1";
}

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> found;
  for (auto& word : core::split(core::replace_all(std::string(line), "\t", " "), ' ')) {
    if (!word.empty()) found.push_back(std::move(word));
  }
  return found;
}

}  // namespace

std::vector<std::string> name_servers(std::string_view resolv_conf) {
  std::vector<std::string> servers;
  for (const auto& line : core::split(resolv_conf, '\n')) {
    auto parts = words(line);
    if (parts.size() >= 2 && parts[0] == "nameserver") servers.push_back(parts[1]);
  }
  return servers;
}

std::string render_resolv_conf(std::string_view host_resolv_conf) {
  std::string text;
  for (const auto& line : core::split(host_resolv_conf, '\n')) {
    auto parts = words(line);
    if (parts.size() < 2) continue;
    bool usable_server = parts[0] == "nameserver" && !is_loopback(parts[1]);
    if (usable_server || parts[0] == "search" || parts[0] == "options") text += core::join(parts, " ") + "\n";
  }
  return text;
}

std::string read_host_resolv_conf() {
  auto own = io::read_file_if_exists("/etc/resolv.conf", kLimit).value_or("");
  for (const auto& server : name_servers(own)) {
    if (!is_loopback(server)) return own;
  }
  return io::read_file_if_exists("/run/systemd/resolve/resolv.conf", kLimit).value_or(own);
}

std::string render_hosts(const std::string& hostname, const std::string& address,
                         const std::vector<std::pair<std::string, std::string>>& extra) {
  std::string text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  if (!hostname.empty()) text += fmt::format("{}\t{}\n", address.empty() ? "127.0.0.1" : address, hostname);
  for (const auto& [name, host_address] : extra) text += fmt::format("{}\t{}\n", host_address, name);
  return text;
}

std::string hostname_of(const TaskAssignment& task, const ContainerAssignment& container,
                        const std::string& runtime_id) {
  if (!container.hostname.empty()) return container.hostname;
  if (task.network.mode == "host") return "";
  if (!task.network.private_dns_name.empty()) return task.network.private_dns_name;
  return runtime_id.substr(0, 12);
}

}  // namespace sampan::node
