#include "vpc/addresses.h"

#include <fmt/core.h>

#include "core/error.h"
#include "vpc/addressing.h"

namespace sampan::vpc {

Subnet Addresses::describe(const SubnetRow& row) const {
  const auto block = parse_cidr(row.cidr).value_or(Cidr{});
  Subnet subnet;
  subnet.id = row.id;
  subnet.vpc_id = row.vpc_id;
  subnet.cidr = row.cidr;
  subnet.availability_zone = row.zone;
  subnet.gateway = to_string(gateway_of(block));
  subnet.prefix_length = block.prefix_length;
  if (const auto vpc = topology_.vpc(row.account, row.region, row.vpc_id)) subnet.vpc_cidr = vpc->cidr;
  return subnet;
}

std::optional<Subnet> Addresses::subnet(const std::string& account, const std::string& region,
                                        const std::string& subnet_id) {
  const auto row = topology_.subnet(account, region, subnet_id);
  if (!row) return std::nullopt;
  return describe(*row);
}

std::vector<Subnet> Addresses::default_subnets(const std::string& account, const std::string& region) {
  std::vector<Subnet> subnets;
  for (const auto& row : topology_.default_subnets(account, region)) subnets.push_back(describe(row));
  return subnets;
}

bool Addresses::has_security_group(const std::string& account, const std::string& region,
                                   const std::string& group_id) {
  return topology_.group(account, region, group_id).has_value();
}

Ipv4 Addresses::take_address(store::Txn& tx, const Subnet& subnet, const std::string& interface_id) {
  const auto turn = tx.get(topology_.rotation, subnet.id);
  const auto& taken = topology_.taken(subnet.id);
  // A candidate that looks free is read through the transaction: it may have been given earlier in this one,
  // and the read makes two transactions that choose the same one collide.
  const auto is_taken = [&](Ipv4 address) {
    return taken.contains(address.value) || tx.get(topology_.addresses, subnet.id + "/" + to_string(address));
  };
  const auto last = turn ? parse_ipv4(turn->text) : std::nullopt;
  const auto address = next_address(*parse_cidr(subnet.cidr), last, is_taken);
  if (!address) {
    throw core::Error(fmt::format("a network interface in {}", subnet.id),
                      fmt::format("the subnet {} has no free address", subnet.cidr));
  }
  tx.put(topology_.rotation, subnet.id, NoteRow{to_string(*address)});
  tx.put(topology_.addresses, subnet.id + "/" + to_string(*address), NoteRow{interface_id});
  return *address;
}

Interface Addresses::allocate(store::Txn& tx, const InterfaceRequest& request) {
  topology_.ensure_default(tx, request.account, request.region);
  auto found = subnet(request.account, request.region, request.subnet_id);
  // The subnet and its VPC must still be there at the commit.
  const auto subnet_key = Topology::key(request.account, request.region, request.subnet_id);
  if (!found || !tx.get(topology_.subnets, subnet_key)) {
    throw core::Error("a network interface", fmt::format("there is no subnet {}", request.subnet_id));
  }
  Interface made;
  made.subnet = *std::move(found);
  made.id = topology_.new_id("eni-");
  const auto address = take_address(tx, made.subnet, made.id);
  made.address = to_string(address);
  made.mac = mac_of(address);
  made.private_dns_name = private_dns_name(address, request.region);
  made.description = request.description;
  made.security_groups = request.security_groups;
  if (made.security_groups.empty()) {
    if (auto group = topology_.default_group(request.account, request.region, made.subnet.vpc_id)) {
      made.security_groups.push_back(group->id);
    }
  }
  tx.put(topology_.interfaces, made.id,
         InterfaceRow{made.id, request.account, request.region, request.subnet_id, made.subnet.vpc_id,
                      made.address, made.mac, made.security_groups, made.description, topology_.now()});
  return made;
}

void Addresses::release(store::Txn& tx, const std::string& interface_id) {
  const auto row = tx.get(topology_.interfaces, interface_id);
  if (!row) return;
  tx.erase(topology_.interfaces, interface_id);
  tx.erase(topology_.addresses, row->subnet_id + "/" + row->address);
  const auto tags_key = Topology::key(row->account, row->region, interface_id);
  if (tx.get(topology_.tags, tags_key)) tx.erase(topology_.tags, tags_key);
}

}  // namespace sampan::vpc
