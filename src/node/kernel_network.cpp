#include "node/kernel_network.h"

#include <fcntl.h>

#include "core/encoding.h"
#include "core/error.h"
#include "core/log.h"
#include "node/endpoint_socket.h"

namespace sampan::node {
namespace {

namespace fs = std::filesystem;

void write_setting(const fs::path& path, std::string_view value) {
  auto file = io::open_file(path, O_WRONLY);
  io::write_all(file.get(), value);
}

// A MAC of our own for the bridge: locally administered, the same after every restart.
std::string bridge_mac(const std::string& name) {
  auto hex = core::sha256_hex(name);
  return fmt::format("02:{}:{}:{}:{}:{}", hex.substr(0, 2), hex.substr(2, 2), hex.substr(4, 2),
                     hex.substr(6, 2), hex.substr(8, 2));
}

std::string prefix_of(const std::string& cidr) {
  auto slash = cidr.find('/');
  if (slash == std::string::npos)
    throw core::Error(fmt::format("read range \"{}\"", cidr), "no prefix length");
  return cidr.substr(slash + 1);
}

bool awsvpc(const NetworkRequest& request) {
  return request.network.mode == "awsvpc";
}

void set_up_bridge(const std::string& name) {
  fs::path conf = "/proc/sys/net/ipv4/conf/" + name;
  write_setting(conf / "proxy_arp_pvlan", "1");  // the bridge answers ARP for isolated ports
  write_setting(conf / "send_redirects", "0");
  write_setting(conf / "forwarding", "1");
  fs::path v6 = "/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6";
  if (fs::exists(v6)) write_setting(v6, "1");
  write_setting("/proc/sys/net/ipv4/ip_forward", "1");
}

// In the task's namespace.
void configure_inside(const NetworkAssignment& network) {
  Netlink netlink;
  auto eth0 = netlink.find("eth0");
  if (!eth0) throw core::Error("set up eth0", "no such link");
  fs::path v6 = "/proc/sys/net/ipv6/conf/eth0/disable_ipv6";
  if (fs::exists(v6)) write_setting(v6, "1");
  netlink.add_address(eth0->index, fmt::format("{}/{}", network.address, network.prefix_length));
  netlink.set_up(eth0->index);
  netlink.add_default_route(eth0->index, network.gateway);
}

}  // namespace

KernelNetwork::KernelNetwork(io::Executors& executors, KernelNetworkOptions options)
    : options_(std::move(options)),
      names_{options_.instance},
      id_ranges_(std::make_shared<IdRanges>(options_.instance)),
      warm_plain_(executors, options_.user_namespaces == UserNamespaces::kNever ? options_.warm : 1,
                  [] { return std::optional<IdRange>(); }),
      warm_owned_(executors, options_.user_namespaces == UserNamespaces::kNever ? 0 : options_.warm,
                  [ranges = id_ranges_] { return std::optional<IdRange>(ranges->take()); }) {
  io::make_directories(options_.run_dir / "netns", 0700);
  io::make_directories(options_.run_dir / "userns", 0700);
}

KernelNetwork::~KernelNetwork() = default;

fs::path KernelNetwork::network_pin(const std::string& task_id) const {
  return options_.run_dir / "netns" / task_id;
}

fs::path KernelNetwork::user_pin(const std::string& task_id) const {
  return options_.run_dir / "userns" / task_id;
}

int KernelNetwork::ensure_bridge(const NetworkAssignment& network) {
  auto name = names_.bridge(network.vpc_id);
  auto found = netlink_.find(name);
  if (found && found->alias != network.vpc_id && !found->alias.empty()) {
    throw core::Error(fmt::format("make bridge {} for {}", name, network.vpc_id),
                      "it serves " + found->alias);
  }
  if (!found || found->alias.empty()) found = netlink_.add_bridge(name, bridge_mac(name), network.vpc_id);
  auto gateway = fmt::format("{}/{}", network.gateway, prefix_of(network.vpc_cidr));
  if (!gateways_.contains(name + " " + gateway)) {
    set_up_bridge(name);
    netlink_.add_address(found->index, gateway);
    gateways_.insert(name + " " + gateway);
  }
  for (const auto& bridge : filter_.bridges) {
    if (bridge.name == name) return found->index;
    if (bridge.cidr == network.vpc_cidr) {
      throw core::Error(fmt::format("make a network for {}", network.vpc_id),
                        fmt::format("another VPC on this machine has the range {}", bridge.cidr));
    }
  }
  filter_.bridges.push_back({name, network.vpc_cidr});
  apply_tables();
  keep_foreign_accepts();
  return found->index;
}

void KernelNetwork::apply_tables() {
  nft_.apply(render_tables(names_, filter_));
}

PortRules KernelNetwork::connect(const NetworkRequest& request, int network_fd) {
  const auto& network = request.network;
  VethRequest veth;
  veth.host_name = names_.port(request.task_id);
  veth.bridge_index = ensure_bridge(network);
  veth.peer_namespace = network_fd;
  veth.peer_name = "eth0";
  veth.peer_mac = network.mac;
  // One of that name can only be what is left of an attempt that a crash cut short.
  if (netlink_.find(veth.host_name)) netlink_.remove(veth.host_name);
  netlink_.add_veth(veth);
  write_setting(fmt::format("/sys/class/net/{}/brport/isolated", veth.host_name), "1");
  return PortRules{veth.host_name, network.mac, network.address};
}

void KernelNetwork::add_port(const std::string& task_id, const PortRules& port,
                             std::vector<Publication> published) {
  nft_.apply(render_add_port(names_, port, published));
  filter_.ports[task_id] = port;
  if (!published.empty()) filter_.published[task_id] = std::move(published);
}

void KernelNetwork::drop_port(const std::string& task_id) {
  auto port = filter_.ports.find(task_id);
  if (port == filter_.ports.end()) return;
  nft_.try_apply(render_remove_port(names_, port->second, filter_.published[task_id]));
  filter_.ports.erase(port);
  filter_.published.erase(task_id);
}

Sandbox KernelNetwork::pin(const NetworkRequest& request, const Namespaces& namespaces) {
  Sandbox sandbox;
  sandbox.network_namespace = network_pin(request.task_id);
  unpin_namespace(sandbox.network_namespace);
  pin_namespace(namespaces.network.get(), sandbox.network_namespace);
  sandbox.ids = namespaces.ids;
  if (!namespaces.user) return sandbox;
  sandbox.user_namespace = user_pin(request.task_id);
  unpin_namespace(sandbox.user_namespace);
  pin_namespace(namespaces.user.get(), sandbox.user_namespace);
  return sandbox;
}

Sandbox KernelNetwork::attach(const NetworkRequest& request) {
  if (request.network.mode == "host") return Sandbox{};
  if (!awsvpc(request) && request.network.mode != "none") {
    throw core::Error(fmt::format("network mode {}", request.network.mode), "this node does not offer it");
  }
  bool owned = request.user_namespace && options_.user_namespaces != UserNamespaces::kNever;
  auto namespaces = owned ? warm_owned_.take() : warm_plain_.take();
  try {
    auto sandbox = pin(request, namespaces);
    if (awsvpc(request)) {
      std::optional<PortRules> port;
      {
        std::scoped_lock lock(mutex_);
        port = connect(request, namespaces.network.get());
        add_port(request.task_id, *port, {});
      }
      inside_network(namespaces.network.get(), [&] { configure_inside(request.network); });
      sandbox.address = request.network.address;
    }
    if (namespaces.ids) {
      std::scoped_lock lock(mutex_);
      ids_[request.task_id] = *namespaces.ids;
    }
    return sandbox;
  } catch (...) {
    undo(request.task_id, namespaces.ids);
    throw;
  }
}

void KernelNetwork::undo(const std::string& task_id, const std::optional<IdRange>& ids) {
  try {
    detach(task_id);
    if (ids) id_ranges_->release(*ids);
  } catch (const std::exception& error) {
    core::log::warn("task {}: what was made of its network stays: {}", task_id, error.what());
  }
}

void KernelNetwork::detach(const std::string& task_id) {
  {
    std::scoped_lock lock(mutex_);
    drop_port(task_id);
    auto ids = ids_.find(task_id);
    if (ids != ids_.end()) {
      id_ranges_->release(ids->second);
      ids_.erase(ids);
    }
  }
  unpin_namespace(network_pin(task_id));
  unpin_namespace(user_pin(task_id));
}

void KernelNetwork::drop_strangers(const std::set<std::string>& tasks) {
  for (const char* folder : {"netns", "userns"}) {
    for (const auto& entry : fs::directory_iterator(options_.run_dir / folder)) {
      if (!tasks.contains(entry.path().filename().string())) unpin_namespace(entry.path());
    }
  }
}

std::vector<std::string> KernelNetwork::recover(const std::vector<KnownSandbox>& known) {
  std::vector<std::string> standing;
  std::set<std::string> keep;
  std::scoped_lock lock(mutex_);
  for (const auto& one : known) {
    const auto& id = one.request.task_id;
    if (one.sandbox.ids) id_ranges_->reserve(*one.sandbox.ids);
    bool needs_pin = !one.sandbox.network_namespace.empty();
    if (needs_pin && !is_pinned(one.sandbox.network_namespace)) continue;
    if (needs_pin) keep.insert(id);
    standing.push_back(id);
    if (one.sandbox.ids) ids_[id] = *one.sandbox.ids;
    if (one.sandbox.address.empty()) continue;
    filter_.ports[id] = PortRules{names_.port(id), one.request.network.mac, one.request.network.address};
    ensure_bridge(one.request.network);
  }
  drop_strangers(keep);
  apply_tables();
  keep_foreign_accepts();
  warm_plain_.fill();
  warm_owned_.fill();
  return standing;
}

io::UniqueFd KernelNetwork::open_endpoint(const std::string& vpc_id) {
  auto name = names_.bridge(vpc_id);
  std::scoped_lock lock(mutex_);
  auto bridge = netlink_.find(name);
  if (!bridge) return {};
  netlink_.add_address(bridge->index, std::string(kEndpointAddress) + "/32");
  return open_endpoint_socket(name);
}

void KernelNetwork::secure(const SecurityRules& rules) {
  std::scoped_lock lock(mutex_);
  filter_.chains = rules.chains;
  filter_.guard_in.clear();
  filter_.guard_out.clear();
  for (const auto& [address, chain] : rules.inbound) filter_.guard_in[address] = "jump " + chain;
  for (const auto& [address, chain] : rules.outbound) filter_.guard_out[address] = "jump " + chain;
  apply_tables();
}

void KernelNetwork::keep_foreign_accepts() {
  if (filter_.bridges.empty()) return;
  for (const auto& chain : find_dropping_chains(nft_.list_json("list chains"), names_)) {
    auto rules = nft_.list_json(fmt::format("list chain {} {} {}", chain.family, chain.table, chain.chain));
    if (find_own_rules(rules, names_).size() >= 2) continue;
    if (!nft_.try_apply(render_foreign_accepts(chain, names_))) {
      core::log::warn(
          "chain {} {} {} drops forwarded packets and takes no rule of ours: tasks may be cut off",
          chain.family, chain.table, chain.chain);
    }
  }
}

void KernelNetwork::maintain() {
  std::scoped_lock lock(mutex_);
  bool present = !nft_.list_json(fmt::format("list chain inet {} forward", names_.table())).empty() &&
                 !nft_.list_json(fmt::format("list chain bridge {} anti-spoof", names_.table())).empty();
  if (!present) {
    core::log::warn("nftables table {} was gone: made again", names_.table());
    apply_tables();
  }
  keep_foreign_accepts();
}

}  // namespace sampan::node
