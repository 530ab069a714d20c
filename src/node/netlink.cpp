#include "node/netlink.h"

#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>

#include "core/error.h"

namespace sampan::node {
namespace {

void check(int result, std::string_view tried, const std::string& name) {
  if (result >= 0) return;
  throw core::Error(fmt::format("{} {}", tried, name), nl_geterror(result));
}

struct LinkDelete {
  void operator()(rtnl_link* link) const { rtnl_link_put(link); }
};
struct AddressDelete {
  void operator()(nl_addr* address) const { nl_addr_put(address); }
};
using UniqueLink = std::unique_ptr<rtnl_link, LinkDelete>;
using UniqueAddress = std::unique_ptr<nl_addr, AddressDelete>;

UniqueAddress parse_address(const std::string& text, int family) {
  nl_addr* address = nullptr;
  check(nl_addr_parse(text.c_str(), family, &address), "parse address", text);
  return UniqueAddress(address);
}

UniqueLink get_link(nl_sock* socket, int index, const char* name) {
  rtnl_link* link = nullptr;
  int result = rtnl_link_get_kernel(socket, index, name, &link);
  if (result == -NLE_NODEV || result == -NLE_OBJ_NOTFOUND) return nullptr;
  check(result, "look up link", name ? std::string(name) : std::to_string(index));
  return UniqueLink(link);
}

std::string text_or_empty(const char* text) {
  return text ? text : "";
}

LinkFacts facts_of(rtnl_link* link) {
  LinkFacts facts;
  facts.index = rtnl_link_get_ifindex(link);
  facts.name = text_or_empty(rtnl_link_get_name(link));
  facts.alias = text_or_empty(rtnl_link_get_ifalias(link));
  return facts;
}

}  // namespace

Netlink::Netlink() : socket_(nl_socket_alloc()) {
  int result = nl_connect(socket_, NETLINK_ROUTE);
  if (result >= 0) return;
  nl_socket_free(socket_);
  check(result, "open socket", "rtnetlink");
}

Netlink::~Netlink() {
  nl_socket_free(socket_);
}

std::optional<LinkFacts> Netlink::find(const std::string& name) {
  auto link = get_link(socket_, 0, name.c_str());
  if (!link) return std::nullopt;
  return facts_of(link.get());
}

std::vector<LinkFacts> Netlink::links_with_prefix(std::string_view prefix) {
  nl_cache* cache = nullptr;
  check(rtnl_link_alloc_cache(socket_, AF_UNSPEC, &cache), "list", "links");
  std::vector<LinkFacts> found;
  for (auto* object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
    auto facts = facts_of(reinterpret_cast<rtnl_link*>(object));
    if (facts.name.starts_with(prefix)) found.push_back(std::move(facts));
  }
  nl_cache_free(cache);
  return found;
}

LinkFacts Netlink::add_bridge(const std::string& name, const std::string& mac, const std::string& alias) {
  UniqueLink bridge(rtnl_link_alloc());
  check(rtnl_link_set_type(bridge.get(), "bridge"), "make bridge", name);
  rtnl_link_set_name(bridge.get(), name.c_str());
  auto address = parse_address(mac, AF_LLC);
  rtnl_link_set_addr(bridge.get(), address.get());
  rtnl_link_set_flags(bridge.get(), IFF_UP);
  int result = rtnl_link_add(socket_, bridge.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (result != -NLE_EXIST) check(result, "make bridge", name);
  auto made = get_link(socket_, 0, name.c_str());
  if (!made) throw core::Error(fmt::format("make bridge {}", name), "it is gone again");
  UniqueLink change(rtnl_link_alloc());
  rtnl_link_set_ifalias(change.get(), alias.c_str());
  check(rtnl_link_change(socket_, made.get(), change.get(), 0), "name the VPC of bridge", name);
  auto facts = facts_of(made.get());
  facts.alias = alias;
  return facts;
}

void Netlink::add_veth(const VethRequest& request) {
  UniqueLink host(rtnl_link_veth_alloc());
  rtnl_link_set_name(host.get(), request.host_name.c_str());
  if (request.bridge_index) rtnl_link_set_master(host.get(), request.bridge_index);
  rtnl_link_set_flags(host.get(), IFF_UP);
  UniqueLink peer(rtnl_link_veth_get_peer(host.get()));
  rtnl_link_set_name(peer.get(), request.peer_name.c_str());
  if (!request.peer_mac.empty()) {
    auto mac = parse_address(request.peer_mac, AF_LLC);
    rtnl_link_set_addr(peer.get(), mac.get());
  }
  rtnl_link_set_ns_fd(peer.get(), request.peer_namespace);
  check(rtnl_link_add(socket_, host.get(), NLM_F_CREATE | NLM_F_EXCL), "make veth", request.host_name);
}

void Netlink::set_up(int index) {
  auto link = get_link(socket_, index, nullptr);
  if (!link) throw core::Error(fmt::format("set link {} up", index), "no such link");
  UniqueLink change(rtnl_link_alloc());
  rtnl_link_set_flags(change.get(), IFF_UP);
  check(rtnl_link_change(socket_, link.get(), change.get(), 0), "set up link", std::to_string(index));
}

void Netlink::add_address(int index, const std::string& address_and_prefix) {
  auto local = parse_address(address_and_prefix, AF_INET);
  auto* address = rtnl_addr_alloc();
  rtnl_addr_set_local(address, local.get());
  rtnl_addr_set_ifindex(address, index);
  int result = rtnl_addr_add(socket_, address, 0);
  rtnl_addr_put(address);
  if (result != -NLE_EXIST) check(result, "add address", address_and_prefix);
}

void Netlink::add_default_route(int index, const std::string& gateway) {
  auto everywhere = parse_address("0.0.0.0/0", AF_INET);
  auto via = parse_address(gateway, AF_INET);
  auto* route = rtnl_route_alloc();
  rtnl_route_set_family(route, AF_INET);
  rtnl_route_set_dst(route, everywhere.get());
  auto* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, index);
  rtnl_route_nh_set_gateway(hop, via.get());
  rtnl_route_add_nexthop(route, hop);
  int result = rtnl_route_add(socket_, route, NLM_F_CREATE);
  rtnl_route_put(route);
  if (result != -NLE_EXIST) check(result, "add default route via", gateway);
}

bool Netlink::remove(const std::string& name) {
  auto link = get_link(socket_, 0, name.c_str());
  if (!link) return false;
  int result = rtnl_link_delete(socket_, link.get());
  if (result == -NLE_NODEV || result == -NLE_OBJ_NOTFOUND) return false;
  check(result, "remove link", name);
  return true;
}

}  // namespace sampan::node
