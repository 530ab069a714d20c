#include "node/nft_rules.h"

#include <boost/json.hpp>

#include "core/encoding.h"

namespace sampan::node {
namespace {

namespace json = boost::json;

std::string elements(const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string text = "elements = { ";
  for (std::size_t i = 0; i < items.size(); ++i) text += (i ? ", " : "") + items[i];
  return text + " }; ";
}

std::string set(std::string_view name, std::string_view type, const std::vector<std::string>& items) {
  return fmt::format("  set {} {{ type {}; {}}}\n", name, type, elements(items));
}

std::string map_of(std::string_view name, std::string_view type, const std::vector<std::string>& items) {
  return fmt::format("  map {} {{ type {}; {}}}\n", name, type, elements(items));
}

std::string source_element(const PortRules& port) {
  return fmt::format("\"{}\" . {} . {}", port.name, port.mac, port.address);
}

std::string arp_element(const PortRules& port) {
  return fmt::format("\"{}\" . {}", port.name, port.address);
}

std::string publication_element(const Publication& one) {
  return fmt::format("{} . {} : {} . {}", one.protocol, one.host_port, one.address, one.container_port);
}

std::string publication_key(const Publication& one) {
  return fmt::format("{} . {}", one.protocol, one.host_port);
}

std::vector<std::string> verdicts(const std::map<std::string, std::string>& guard) {
  std::vector<std::string> items;
  for (const auto& [address, verdict] : guard) items.push_back(address + " : " + verdict);
  return items;
}

// What tasks send and receive when routed. Our accept ends only our own chain.
std::string forward_chain(const InstanceNames& names, const FilterState& state) {
  auto ours = names.bridge_prefix() + "*";
  std::string text =
      "  chain forward {\n    type filter hook forward priority -10; policy accept;\n"
      "    ct state established,related accept\n";
  text += fmt::format("    iifname \"{}\" ct state invalid drop\n", ours);
  // The machine's own link-local services (a cloud's instance metadata) are not the tasks'.
  text += fmt::format("    iifname \"{}\" ip daddr 169.254.0.0/16 drop\n", ours);
  for (const auto& bridge : state.bridges) {
    text += fmt::format("    iifname \"{0}\" ip saddr != {1} drop\n", bridge.name, bridge.cidr);
    text += fmt::format("    iifname \"{0}\" oifname != \"{0}\" oifname \"{1}\" drop\n", bridge.name, ours);
  }
  text += "    ip saddr vmap @guard-out\n    ip daddr vmap @guard-in\n  }\n";
  return text;
}

// What tasks send to the host itself: names, their metadata, and what is opened on purpose; never its other
// services.
std::string input_chain(const InstanceNames& names) {
  auto ours = names.bridge_prefix() + "*";
  return fmt::format(
      "  chain input {{\n    type filter hook input priority -10; policy accept;\n"
      "    iifname != \"{0}\" accept\n"
      "    ct state established,related accept\n"
      "    icmp type echo-request accept\n"
      "    meta l4proto {{ tcp, udp }} th dport 53 accept\n"
      "    ip daddr 169.254.170.2 tcp dport 80 accept\n"
      "    ip daddr @host-open accept\n"
      "    drop\n  }}\n",
      ours);
}

// What the host (its load balancers too) sends to tasks. Redirects would be noise: ports are isolated.
std::string output_chain(const InstanceNames& names) {
  return fmt::format(
      "  chain output {{\n    type filter hook output priority 0; policy accept;\n"
      "    oifname \"{}\" icmp type redirect drop\n"
      "    ct state established,related accept\n"
      "    ip daddr vmap @guard-in\n  }}\n",
      names.bridge_prefix() + "*");
}

std::string nat_chains(const FilterState& state) {
  std::string text = "  chain post {\n    type nat hook postrouting priority srcnat; policy accept;\n";
  for (const auto& bridge : state.bridges) {
    text += fmt::format("    ip saddr {} oifname != \"{}\" masquerade\n", bridge.cidr, bridge.name);
  }
  text += "  }\n";
  for (std::string_view hook : {"prerouting", "output"}) {
    text += fmt::format(
        "  chain publish-{0} {{\n    type nat hook {0} priority -100; policy accept;\n"
        "    fib daddr type local ip daddr != 127.0.0.0/8 dnat ip addr . port to meta l4proto . th dport map "
        "@published\n  }}\n",
        hook);
  }
  return text;
}

std::string inet_table(const InstanceNames& names, const FilterState& state) {
  std::vector<std::string> addresses, published;
  for (const auto& [task, port] : state.ports) addresses.push_back(port.address);
  for (const auto& [task, list] : state.published) {
    for (const auto& one : list) published.push_back(publication_element(one));
  }
  std::string text = fmt::format("table inet {} {{\n", names.table());
  text += set("tasks", "ipv4_addr", addresses);
  text += set("host-open", "ipv4_addr", {});
  for (const auto& [name, rules] : state.chains) {
    text += fmt::format("  chain {} {{\n", name);
    for (const auto& rule : rules) text += "    " + rule + "\n";
    text += "  }\n";
  }
  text += map_of("guard-in", "ipv4_addr : verdict", verdicts(state.guard_in));
  text += map_of("guard-out", "ipv4_addr : verdict", verdicts(state.guard_out));
  text += map_of("published", "inet_proto . inet_service : ipv4_addr . inet_service", published);
  text += forward_chain(names, state) + input_chain(names) + output_chain(names) + nat_chains(state);
  return text + "}\n";
}

std::string bridge_table(const InstanceNames& names, const FilterState& state) {
  std::vector<std::string> sources, arps;
  for (const auto& [task, port] : state.ports) {
    sources.push_back(source_element(port));
    arps.push_back(arp_element(port));
  }
  auto ours = names.port_prefix() + "*";
  std::string text = fmt::format("table bridge {} {{\n", names.table());
  text += set("port-src", "ifname . ether_addr . ipv4_addr", sources);
  text += set("port-arp", "ifname . ipv4_addr", arps);
  text += "  chain anti-spoof {\n    type filter hook prerouting priority -300; policy accept;\n";
  text += fmt::format(
      "    iifname \"{0}\" ether type ip iifname . ether saddr . ip saddr != @port-src counter drop\n"
      "    iifname \"{0}\" ether type arp iifname . arp saddr ip != @port-arp counter drop\n"
      "    iifname \"{0}\" ether type != {{ ip, arp }} counter drop\n",
      ours);
  return text + "  }\n}\n";
}

std::string port_change(std::string_view verb, const InstanceNames& names, const PortRules& port) {
  auto table = names.table();
  return fmt::format(
      "{0} element bridge {1} port-src {{ {2} }}\n{0} element bridge {1} port-arp {{ {3} }}\n"
      "{0} element inet {1} tasks {{ {4} }}\n",
      verb, table, source_element(port), arp_element(port), port.address);
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

// The objects of one kind ("chain", "rule") in nft's JSON.
std::vector<json::object> objects_of(std::string_view text, std::string_view kind) {
  std::vector<json::object> found;
  boost::system::error_code error;
  auto root = json::parse(text, error);
  if (error || !root.is_object()) return found;
  const auto* list = root.get_object().if_contains("nftables");
  if (!list || !list->is_array()) return found;
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) continue;
    const auto* object = item.get_object().if_contains(kind);
    if (object && object->is_object()) found.push_back(object->get_object());
  }
  return found;
}

}  // namespace

std::string InstanceNames::bridge(const std::string& vpc_id) const {
  return bridge_prefix() + core::sha256_hex(vpc_id).substr(0, 6);
}

std::string InstanceNames::port(const std::string& task_id) const {
  return port_prefix() + task_id.substr(0, 8);
}

std::string render_tables(const InstanceNames& names, const FilterState& state) {
  return render_removal(names) + inet_table(names, state) + bridge_table(names, state);
}

std::string render_removal(const InstanceNames& names) {
  // Adding first makes the deletion succeed whether the table is there or not.
  return fmt::format(
      "add table inet {0}\ndelete table inet {0}\nadd table bridge {0}\ndelete table bridge {0}\n",
      names.table());
}

std::string render_add_port(const InstanceNames& names, const PortRules& port,
                            const std::vector<Publication>& published) {
  auto text = port_change("add", names, port);
  for (const auto& one : published) {
    text += fmt::format("add element inet {} published {{ {} }}\n", names.table(), publication_element(one));
  }
  return text;
}

std::string render_remove_port(const InstanceNames& names, const PortRules& port,
                               const std::vector<Publication>& published) {
  auto text = port_change("delete", names, port);
  for (const auto& one : published) {
    text += fmt::format("delete element inet {} published {{ {} }}\n", names.table(), publication_key(one));
  }
  return text;
}

std::vector<ForeignChain> find_dropping_chains(std::string_view list_chains_json,
                                               const InstanceNames& names) {
  std::vector<ForeignChain> found;
  auto chains = objects_of(list_chains_json, "chain");
  for (const auto& chain : chains) {
    if (text_of(chain, "hook") != "forward" || text_of(chain, "policy") != "drop") continue;
    auto family = std::string(text_of(chain, "family"));
    auto table = std::string(text_of(chain, "table"));
    if (table == names.table() || (family != "ip" && family != "inet")) continue;
    ForeignChain place{family, table, std::string(text_of(chain, "name"))};
    for (const auto& other : chains) {
      bool same_table = text_of(other, "family") == family && text_of(other, "table") == table;
      if (same_table && text_of(other, "name") == "DOCKER-USER") place.chain = "DOCKER-USER";
    }
    found.push_back(std::move(place));
  }
  return found;
}

std::vector<std::uint64_t> find_own_rules(std::string_view list_chain_json, const InstanceNames& names) {
  std::vector<std::uint64_t> handles;
  for (const auto& rule : objects_of(list_chain_json, "rule")) {
    const auto* expressions = rule.if_contains("expr");
    const auto* handle = rule.if_contains("handle");
    if (!expressions || !handle || !handle->is_number()) continue;
    if (json::serialize(*expressions).find("\"" + names.bridge_prefix() + "*\"") == std::string::npos)
      continue;
    handles.push_back(handle->to_number<std::uint64_t>());
  }
  return handles;
}

std::string render_foreign_accepts(const ForeignChain& chain, const InstanceNames& names) {
  std::string text;
  for (std::string_view direction : {"iifname", "oifname"}) {
    text += fmt::format("insert rule {} {} {} {} \"{}*\" accept\n", chain.family, chain.table, chain.chain,
                        direction, names.bridge_prefix());
  }
  return text;
}

std::string render_rule_removal(const ForeignChain& chain, std::uint64_t handle) {
  return fmt::format("delete rule {} {} {} handle {}\n", chain.family, chain.table, chain.chain, handle);
}

}  // namespace sampan::node
