// All VPCs of this Sampan: their rows, and the default VPC that every account and region begins with.
//
// Not an API and not an allocator: Ec2Api and Addresses stand on it. Owned by the composition root; all on
// the control strand. VPCs share the machine's routes, so no two of them overlap, whoever owns them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "vpc/cidr.h"
#include "vpc/rows.h"

namespace sampan::vpc {

struct TopologyOptions {
  std::string account = "000000000000";  // whose default VPC, in `region`, has the configured block
  std::string region = "us-east-1";
  std::string cidr = "172.30.0.0/16";
};

// A default VPC as it is or as it would be made: ids are a hash of account and region, so they are known
// before it is stored and the same after every fresh start.
struct DefaultNetwork {
  VpcRow vpc;
  std::vector<SubnetRow> subnets;
  GroupRow group;
};
DefaultNetwork plan_default_network(const std::string& account, const std::string& region, const Cidr& block);

class Topology {
 public:
  // Throws core::Error when the configured block is malformed or no /16 to /26.
  Topology(store::Store& store, const core::Clock& clock, core::IdSource& ids, TopologyOptions options);

  // Writes the default VPC of that account and region into `tx` unless it has been made before. Every change
  // that builds on a VPC calls it first.
  void ensure_default(store::Txn& tx, const std::string& account, const std::string& region);
  // The same as a transaction of its own; free when there is nothing to do.
  boost::asio::awaitable<void> ensure_default(std::string account, std::string region);

  // What is stored, or the default one that would be made now.
  std::optional<VpcRow> vpc(const std::string& account, const std::string& region,
                            const std::string& id) const;
  std::optional<SubnetRow> subnet(const std::string& account, const std::string& region,
                                  const std::string& id) const;
  std::optional<GroupRow> group(const std::string& account, const std::string& region,
                                const std::string& id) const;
  std::optional<GroupRow> default_group(const std::string& account, const std::string& region,
                                        const std::string& vpc_id) const;
  std::vector<SubnetRow> default_subnets(const std::string& account, const std::string& region) const;

  // The VPC, of any account, that `block` would collide with: what to say, or nothing.
  std::optional<std::string> collision(const Cidr& block) const;
  // Addresses in use.
  const std::set<std::uint32_t>& taken(const std::string& subnet_id) const;

  static std::string key(const std::string& account, const std::string& region, const std::string& id) {
    return account + "/" + region + "/" + id;
  }
  std::string new_id(std::string_view prefix) { return std::string(prefix) + ids_.hex(17); }
  core::TimePoint now() const { return clock_.now(); }
  store::Store& store() { return store_; }

  store::Table<VpcRow> vpcs;
  store::Table<SubnetRow> subnets;
  store::Table<GroupRow> groups;
  store::Table<InterfaceRow> interfaces;
  store::Table<TagsRow> tags;
  store::Table<NoteRow> addresses;  // "<subnet>/<address>" -> interface
  store::Table<NoteRow> rotation;   // subnet -> the address given last
  store::Table<NoteRow> defaults;  // "<account>/<region>" -> default VPC's id; stays when that VPC is deleted

 private:
  // Nothing when it has been made: then the tables speak.
  std::optional<DefaultNetwork> unmade_default(const std::string& account, const std::string& region) const;

  store::Store& store_;
  const core::Clock& clock_;
  core::IdSource& ids_;
  TopologyOptions options_;
  Cidr configured_;
  std::map<std::string, std::set<std::uint32_t>> taken_;
};

}  // namespace sampan::vpc
