// Which addresses of a subnet are given to whom, and how a default VPC is cut. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vpc/cidr.h"

namespace sampan::vpc {

// AWS keeps the first four addresses of a subnet (network, router, DNS, future) and the last one.
inline constexpr int kReservedAddresses = 5;
// A VPC or a subnet has /16 to /28.
inline constexpr int kLargestBlock = 16;
inline constexpr int kSmallestBlock = 28;

Ipv4 gateway_of(const Cidr& subnet);
int usable_addresses(const Cidr& subnet);

// The first free address after `last` (or from the beginning), going round once; so that a released address
// rests as long as the subnet allows, and nobody's stale connection meets a new owner.
std::optional<Ipv4> next_address(const Cidr& subnet, std::optional<Ipv4> last,
                                 const std::function<bool(Ipv4)>& taken);

// 02: (locally administered), then an octet of ours, then the address: unique within a VPC.
std::string mac_of(Ipv4 address);
// ip-172-30-0-4.ec2.internal in us-east-1, ip-….<region>.compute.internal elsewhere.
std::string private_dns_name(Ipv4 address, const std::string& region);

// The `count` first subnets of a VPC, each a sixteenth of it (but at least a /28).
std::vector<Cidr> default_subnet_blocks(const Cidr& vpc, int count);

// The block of the next default VPC beside those that exist. The configured one is the first account's and
// region's; all others take a /16 of 10.128.0.0/9, beginning at a place that depends on the configured block,
// so that two instances on one machine (whose configured blocks differ) rarely meet. Nothing when all are
// taken.
std::optional<Cidr> next_default_block(const Cidr& configured, const std::vector<Cidr>& existing);

}  // namespace sampan::vpc
