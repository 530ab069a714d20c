// The nftables text of an instance: its two tables and the changes to their sets. Pure.
//
//   task ── veth (isolated) ── bridge spINSTbr… ── [inet forward] ── another task, the internet
//             │ [bridge prerouting]: source MAC and address must be that port's
//   to the host itself: [inet input], DNS and load balancers only; from the host: [inet output]
//
// Ports are isolated and the bridge answers ARP for them, so packets between tasks are routed and meet the
// inet chains whatever br_netfilter says.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sampan::node {

// The names of an instance's kernel objects. Interface names have 15 characters at most.
struct InstanceNames {
  std::string instance;  // 4 hex digits

  std::string table() const { return "sampan-" + instance; }
  std::string bridge_prefix() const { return "sp" + instance + "br"; }
  std::string port_prefix() const { return "sp" + instance + "v"; }
  std::string bridge(const std::string& vpc_id) const;  // prefix and 6 hex digits of its hash
  std::string port(const std::string& task_id) const;   // prefix and the task's first 8 digits
};

struct BridgeRules {
  std::string name;
  std::string cidr;  // of the VPC
};

// A task's port and the only source it may use.
struct PortRules {
  std::string name;
  std::string mac;
  std::string address;
  bool operator==(const PortRules&) const = default;
};

// Host port to a task's port (bridge mode).
struct Publication {
  int host_port = 0;
  std::string protocol;  // tcp, udp
  std::string address;
  int container_port = 0;
  bool operator==(const Publication&) const = default;
};

struct FilterState {
  std::vector<BridgeRules> bridges;
  std::map<std::string, PortRules> ports;                     // by task
  std::map<std::string, std::vector<Publication>> published;  // by task
  // Security groups: chains of rules ("sg-…-in"), and for each address the verdict that guards it
  // ("jump sg-…-in"). An address without an entry is open.
  std::map<std::string, std::vector<std::string>> chains;
  std::map<std::string, std::string> guard_in;
  std::map<std::string, std::string> guard_out;
};

// Replaces both tables as a whole, in one transaction; works whether or not they exist.
std::string render_tables(const InstanceNames& names, const FilterState& state);
std::string render_removal(const InstanceNames& names);
std::string render_add_port(const InstanceNames& names, const PortRules& port,
                            const std::vector<Publication>& published);
std::string render_remove_port(const InstanceNames& names, const PortRules& port,
                               const std::vector<Publication>& published);

// Other programs' chains on the forward hook whose policy is drop (Docker, ufw, firewalld): an accept of
// ours cannot overrule them, so two rules of ours must stand inside.
struct ForeignChain {
  std::string family;
  std::string table;
  std::string chain;
  auto operator<=>(const ForeignChain&) const = default;
};

// From `nft -j list chains`: where the accepts belong. DOCKER-USER stands for the FORWARD of its table.
std::vector<ForeignChain> find_dropping_chains(std::string_view list_chains_json, const InstanceNames& names);
// From `nft -j -a list chain …`: handles of the rules there that are this instance's.
std::vector<std::uint64_t> find_own_rules(std::string_view list_chain_json, const InstanceNames& names);
std::string render_foreign_accepts(const ForeignChain& chain, const InstanceNames& names);
std::string render_rule_removal(const ForeignChain& chain, std::uint64_t handle);

}  // namespace sampan::node
