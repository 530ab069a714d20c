// Interfaces for tasks and load balancers: the allocator behind vpc::Interfaces. Choosing an address is pure
// (addressing.h); here it is written into the caller's transaction, together with what it is for, so that a
// crash leaks nothing. All on the control strand.
#pragma once

#include "vpc/interfaces.h"
#include "vpc/topology.h"

namespace sampan::vpc {

class Addresses final : public Interfaces {
 public:
  explicit Addresses(Topology& topology) : topology_(topology) {}
  std::optional<Subnet> subnet(const std::string& account, const std::string& region,
                               const std::string& subnet_id) override;
  std::vector<Subnet> default_subnets(const std::string& account, const std::string& region) override;
  bool has_security_group(const std::string& account, const std::string& region,
                          const std::string& group_id) override;
  // Throws core::Error when the subnet does not exist or is full.
  Interface allocate(store::Txn& tx, const InterfaceRequest& request) override;
  // Nothing happens for an interface that is gone already.
  void release(store::Txn& tx, const std::string& interface_id) override;

 private:
  Subnet describe(const SubnetRow& row) const;
  Ipv4 take_address(store::Txn& tx, const Subnet& subnet, const std::string& interface_id);
  Topology& topology_;
};

}  // namespace sampan::vpc
