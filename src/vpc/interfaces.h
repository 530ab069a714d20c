// Subnets and network interfaces for whoever needs an address in a VPC: tasks and load balancers.
// Every account and region begins with a default VPC (vpc-cidr), three subnets (zones a, b, c) and a default
// security group, made at the first call that looks. All on the control strand.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/table.h"

namespace sampan::vpc {

struct Subnet {
  std::string id;
  std::string vpc_id;
  std::string cidr;
  std::string availability_zone;  // "us-east-1a"
  std::string gateway;            // its first address
  int prefix_length = 0;
  std::string vpc_cidr;
};

struct Interface {
  std::string id;  // eni-…
  std::string mac;
  std::string address;
  std::string private_dns_name;
  std::vector<std::string> security_groups;
  std::string description;
  Subnet subnet;
};

struct InterfaceRequest {
  std::string account;
  std::string region;
  std::string subnet_id;
  std::vector<std::string> security_groups;  // empty: the VPC's default group
  std::string description;                   // shown by DescribeNetworkInterfaces
};

class Interfaces {
 public:
  virtual ~Interfaces() = default;
  virtual std::optional<Subnet> subnet(const std::string& account, const std::string& region,
                                       const std::string& subnet_id) = 0;
  virtual std::vector<Subnet> default_subnets(const std::string& account, const std::string& region) = 0;
  // True when the group exists in that VPC.
  virtual bool has_security_group(const std::string& account, const std::string& region,
                                  const std::string& group_id) = 0;
  // Takes a free address within the caller's transaction, so that the owner's row and the address are
  // stored together. Throws core::Error("… has no free address …").
  virtual Interface allocate(store::Txn& tx, const InterfaceRequest& request) = 0;
  virtual void release(store::Txn& tx, const std::string& interface_id) = 0;
};

}  // namespace sampan::vpc
