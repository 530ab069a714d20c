// Rules of ports, links and network modes in a task definition.
#include <set>
#include <tuple>

#include "core/text.h"
#include "ecs/definition_rules.h"
#include "ecs/faults.h"

namespace sampan::ecs {
namespace {

using api::ecs::ContainerDefinition;
using api::ecs::PortMapping;
using api::ecs::TaskDefinition;

constexpr int kMostPort = 65535;
constexpr std::size_t kMaxPortName = 64;
constexpr std::size_t kMaxMappings = 100;

bool valid_port_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxPortName || name.front() == '-') return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

void check_range(const PortMapping& port, const std::string& container) {
  auto parts = core::split(*port.containerPortRange, '-');
  auto first = parts.size() == 2 ? core::parse_int(parts[0]) : std::nullopt;
  auto last = parts.size() == 2 ? core::parse_int(parts[1]) : std::nullopt;
  if (!first || !last || *first < 1 || *last > kMostPort || *first >= *last) {
    client_fault("Invalid 'containerPortRange' setting for container '{}'.", container);
  }
  if (port.hostPort) {
    client_fault("Invalid 'hostPort' setting for container '{}': it cannot be given with containerPortRange.",
                 container);
  }
}

void check_numbers(const PortMapping& port, const std::string& container, const std::string& mode) {
  if (port.containerPort && port.containerPortRange) {
    client_fault("Container '{}' has both containerPort and containerPortRange in one port mapping.",
                 container);
  }
  if (port.containerPortRange) return check_range(port, container);
  int number = port.containerPort.value_or(0);
  if (number < 1 || number > kMostPort) {
    client_fault("Invalid 'containerPort' setting for container '{}'.", container);
  }
  if (port.hostPort && (*port.hostPort < 0 || *port.hostPort > kMostPort)) {
    client_fault("Invalid 'hostPort' setting for container '{}'.", container);
  }
  bool same = mode == "awsvpc" || mode == "host";
  if (same && port.hostPort.value_or(0) != 0 && *port.hostPort != number) {
    client_fault("When networkMode={}, the host ports and container ports in port mappings must match.",
                 mode);
  }
}

void check_names(const PortMapping& port, std::set<std::string>& names) {
  if (port.name && !valid_port_name(*port.name)) {
    client_fault(
        "Invalid 'name' setting for port mapping '{}'. Up to 64 lower-case letters, digits, underscores and "
        "hyphens are allowed; it cannot begin with a hyphen.",
        *port.name);
  }
  if (port.name && !names.insert(*port.name).second) {
    client_fault("Port mapping names must be unique within a task definition: '{}'.", *port.name);
  }
  if (port.appProtocol && !port.name) client_fault("A port mapping with an appProtocol must have a name.");
}

}  // namespace

void check_ports(const TaskDefinition& definition) {
  const auto& mode = *definition.networkMode;
  std::set<std::string> names;
  std::set<std::pair<int, std::string>> host_ports;
  for (const auto& container : *definition.containerDefinitions) {
    const auto& ports = list_or_empty(container.portMappings);
    if (mode == "awsvpc" && !list_or_empty(container.links).empty()) {
      client_fault("Links are not supported when networkMode=awsvpc.");
    }
    if (mode == "none" && !ports.empty())
      client_fault("Port mappings are not supported when networkMode=none.");
    if (ports.size() > kMaxMappings) {
      client_fault("Container '{}' has more than {} port mappings.", *container.name, kMaxMappings);
    }
    std::map<int, std::string> protocols;
    for (const auto& port : ports) {
      check_numbers(port, *container.name, mode);
      check_names(port, names);
      if (!port.containerPort) continue;
      auto protocol = port.protocol.value_or("tcp");
      auto [known, fresh] = protocols.emplace(*port.containerPort, protocol);
      if (!fresh && known->second != protocol) {
        client_fault("Container '{}' exposes port {} with more than one protocol.", *container.name,
                     *port.containerPort);
      }
      int host = mode == "bridge" ? port.hostPort.value_or(0) : *port.containerPort;
      if (host != 0 && !host_ports.emplace(host, protocol).second) {
        client_fault("The host port {} is used by more than one port mapping.", host);
      }
    }
  }
}

}  // namespace sampan::ecs
