// The files under /etc that name the network to a container: resolv.conf, hosts, hostname. Pure, but for
// reading the machine's own resolver.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/link.h"

namespace sampan::node {

// From the host's resolv.conf: its name servers that a container can reach too (not loopback ones), its
// search list and options.
std::string render_resolv_conf(std::string_view host_resolv_conf);
// /etc/resolv.conf, or systemd-resolved's list of real servers when that names only loopback. Blocking.
std::string read_host_resolv_conf();
std::vector<std::string> name_servers(std::string_view resolv_conf);

// `address` may be empty (network modes host and none).
std::string render_hosts(const std::string& hostname, const std::string& address,
                         const std::vector<std::pair<std::string, std::string>>& extra);

// What a container is called: its own hostname, the interface's DNS name, else by its runtime id.
std::string hostname_of(const TaskAssignment& task, const ContainerAssignment& container,
                        const std::string& runtime_id);

}  // namespace sampan::node
