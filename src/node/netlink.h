// What we ask of rtnetlink, through libnl-route. Knows links, addresses and routes; nothing of tasks.
// A Netlink speaks for the network namespace its thread was in when it was made, for ever. Not thread-safe.
// Every call throws core::Error with the object's name and the kernel's reason.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct nl_sock;

namespace sampan::node {

struct LinkFacts {
  int index = 0;
  std::string name;
  std::string alias;
};

struct VethRequest {
  std::string host_name;
  int bridge_index = 0;     // 0: no bridge
  int peer_namespace = -1;  // descriptor
  std::string peer_name;
  std::string peer_mac;  // empty: the kernel's choice
};

class Netlink {
 public:
  Netlink();
  ~Netlink();
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  std::optional<LinkFacts> find(const std::string& name);
  std::vector<LinkFacts> links_with_prefix(std::string_view prefix);
  // A fixed MAC: a bridge without one takes its ports' lowest, and changes it under its neighbours' feet.
  LinkFacts add_bridge(const std::string& name, const std::string& mac, const std::string& alias);
  void add_veth(const VethRequest& request);
  void set_up(int index);
  // "172.30.0.1/16"; an address that is there already is no error.
  void add_address(int index, const std::string& address_and_prefix);
  void add_default_route(int index, const std::string& gateway);
  // Returns false when there is no such link. Waits tens of milliseconds (RCU): never on a hot path.
  bool remove(const std::string& name);

 private:
  nl_sock* socket_ = nullptr;
};

}  // namespace sampan::node
