#include "vpc/addressing.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"

namespace sampan::vpc {

Ipv4 gateway_of(const Cidr& subnet) {
  return subnet.nth(1);
}

int usable_addresses(const Cidr& subnet) {
  return std::max(0, static_cast<int>(subnet.size()) - kReservedAddresses);
}

std::optional<Ipv4> next_address(const Cidr& subnet, std::optional<Ipv4> last,
                                 const std::function<bool(Ipv4)>& taken) {
  const auto count = static_cast<std::uint32_t>(usable_addresses(subnet));
  const auto first = subnet.nth(4);
  std::uint32_t start = 0;
  if (last && *last >= first && last->value - first.value < count) start = last->value - first.value + 1;
  for (std::uint32_t step = 0; step < count; ++step) {
    const Ipv4 candidate{first.value + (start + step) % count};
    if (!taken(candidate)) return candidate;
  }
  return std::nullopt;
}

std::string mac_of(Ipv4 address) {
  const auto v = address.value;
  return fmt::format("02:5a:{:02x}:{:02x}:{:02x}:{:02x}", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
}

std::string private_dns_name(Ipv4 address, const std::string& region) {
  const auto dashed = core::replace_all(to_string(address), ".", "-");
  if (region == "us-east-1") return fmt::format("ip-{}.ec2.internal", dashed);
  return fmt::format("ip-{}.{}.compute.internal", dashed, region);
}

std::vector<Cidr> default_subnet_blocks(const Cidr& vpc, int count) {
  const int length = std::min(vpc.prefix_length + 4, kSmallestBlock);
  std::vector<Cidr> blocks;
  for (int i = 0; i < count; ++i) {
    const Cidr block{Ipv4{vpc.base.value + static_cast<std::uint32_t>(i) * (1u << (32 - length))}, length};
    if (vpc.contains(block)) blocks.push_back(block);
  }
  return blocks;
}

std::optional<Cidr> next_default_block(const Cidr& configured, const std::vector<Cidr>& existing) {
  constexpr std::uint32_t kBlocks = 128;
  const auto start = (configured.base.value >> 16) * 37 + (configured.base.value >> 8 & 255) * 11;
  for (std::uint32_t i = 0; i < kBlocks; ++i) {
    const Cidr block{Ipv4{10u << 24 | (128 + (start + i) % kBlocks) << 16}, 16};
    const auto meets = [&](const Cidr& other) { return other.overlaps(block); };
    if (!configured.overlaps(block) && std::none_of(existing.begin(), existing.end(), meets)) return block;
  }
  return std::nullopt;
}

}  // namespace sampan::vpc
