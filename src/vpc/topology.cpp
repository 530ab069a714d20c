#include "vpc/topology.h"

#include <fmt/core.h>

#include "aws/fault.h"
#include "core/encoding.h"
#include "core/error.h"
#include "vpc/addressing.h"

namespace sampan::vpc {
namespace {

constexpr std::string_view kZones = "abc";

Cidr checked_block(const std::string& text) {
  const auto block = parse_cidr_loosely(text);
  if (!block || masked(*block) != *block || block->prefix_length < kLargestBlock ||
      block->prefix_length > 26) {
    throw core::Error(fmt::format("the VPC's block {}", text),
                      "it must be a network like 172.30.0.0/16, no larger than /16 and no smaller than /26");
  }
  return *block;
}

template <class Row>
std::optional<Row> stored(const store::Table<Row>& table, const std::string& key) {
  const auto* row = table.find(key);
  return row ? std::optional<Row>(*row) : std::nullopt;
}

GroupRule everything_out(std::string id) {
  GroupRule rule{std::move(id), true, "-1"};
  rule.cidr4 = "0.0.0.0/0";
  return rule;
}

}  // namespace

DefaultNetwork plan_default_network(const std::string& account, const std::string& region,
                                    const Cidr& block) {
  const auto id = [&](std::string_view prefix, std::string_view what) {
    return std::string(prefix) +
           core::sha256_hex(fmt::format("sampan {} {} {}", account, region, what)).substr(0, 17);
  };
  DefaultNetwork network;
  network.vpc = {id("vpc-", "vpc"),    account, region, to_string(block), true, id("rtb-", "route table"),
                 id("igw-", "gateway")};
  const auto blocks = default_subnet_blocks(block, static_cast<int>(kZones.size()));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto zone = region + kZones[i];
    network.subnets.push_back(
        {id("subnet-", zone), account, region, network.vpc.id, to_string(blocks[i]), zone, true});
  }
  GroupRule inside{id("sgr-", "in"), false, "-1"};
  inside.group_id = id("sg-", "group");
  network.group = {inside.group_id,
                   account,
                   region,
                   network.vpc.id,
                   "default",
                   "default VPC security group",
                   {inside, everything_out(id("sgr-", "out"))}};
  return network;
}

Topology::Topology(store::Store& store, const core::Clock& clock, core::IdSource& ids,
                   TopologyOptions options)
    : vpcs(store, "/vpc/vpcs/"),
      subnets(store, "/vpc/subnets/"),
      groups(store, "/vpc/groups/"),
      interfaces(store, "/vpc/interfaces/"),
      tags(store, "/vpc/tags/"),
      addresses(store, "/vpc/addresses/"),
      rotation(store, "/vpc/rotation/"),
      defaults(store, "/vpc/defaults/"),
      store_(store),
      clock_(clock),
      ids_(ids),
      options_(std::move(options)),
      configured_(checked_block(options_.cidr)) {
  const auto follow = [this](const InterfaceRow& row, bool present) {
    const auto address = parse_ipv4(row.address);
    if (!address) return;
    if (present) {
      taken_[row.subnet_id].insert(address->value);
    } else {
      taken_[row.subnet_id].erase(address->value);
    }
  };
  for (const auto& [id, row] : interfaces) follow(row.value, true);
  interfaces.on_change([follow](const std::string&, const InterfaceRow* before, const InterfaceRow* after) {
    if (before) follow(*before, false);
    if (after) follow(*after, true);
  });
}

std::optional<DefaultNetwork> Topology::unmade_default(const std::string& account,
                                                       const std::string& region) const {
  if (defaults.find(account + "/" + region)) return std::nullopt;
  if (account == options_.account && region == options_.region) {
    return plan_default_network(account, region, configured_);
  }
  std::vector<Cidr> existing;
  for (const auto& [key, row] : vpcs) existing.push_back(parse_cidr(row.value.cidr).value_or(Cidr{}));
  const auto block = next_default_block(configured_, existing);
  if (!block) {
    throw aws::Fault(
        "VpcLimitExceeded", 400,
        fmt::format("No block of addresses is left for a default VPC of account {} in {}", account, region));
  }
  return plan_default_network(account, region, *block);
}

void Topology::ensure_default(store::Txn& tx, const std::string& account, const std::string& region) {
  const auto note = account + "/" + region;
  if (tx.get(defaults, note)) return;
  const auto network = unmade_default(account, region);
  if (!network) return;
  tx.put(defaults, note, NoteRow{network->vpc.id});
  tx.put(vpcs, key(account, region, network->vpc.id), network->vpc);
  for (const auto& subnet : network->subnets) tx.put(subnets, key(account, region, subnet.id), subnet);
  tx.put(groups, key(account, region, network->group.id), network->group);
  // Two different accounts at once would both be given the next free block: the second one must look again.
  const auto turn = tx.get(rotation, "default-blocks");
  const int made = turn ? std::atoi(turn->text.c_str()) : 0;
  tx.put(rotation, "default-blocks", NoteRow{std::to_string(made + 1)});
}

boost::asio::awaitable<void> Topology::ensure_default(std::string account, std::string region) {
  if (defaults.find(account + "/" + region)) co_return;
  auto body = [&](store::Txn& tx) { ensure_default(tx, account, region); };
  co_await store::transact(store_, body);
}

std::optional<VpcRow> Topology::vpc(const std::string& account, const std::string& region,
                                    const std::string& id) const {
  if (auto row = stored(vpcs, key(account, region, id))) return row;
  const auto network = unmade_default(account, region);
  if (network && network->vpc.id == id) return network->vpc;
  return std::nullopt;
}

std::optional<SubnetRow> Topology::subnet(const std::string& account, const std::string& region,
                                          const std::string& id) const {
  if (auto row = stored(subnets, key(account, region, id))) return row;
  if (const auto network = unmade_default(account, region)) {
    for (const auto& subnet : network->subnets) {
      if (subnet.id == id) return subnet;
    }
  }
  return std::nullopt;
}

std::optional<GroupRow> Topology::group(const std::string& account, const std::string& region,
                                        const std::string& id) const {
  if (auto row = stored(groups, key(account, region, id))) return row;
  const auto network = unmade_default(account, region);
  if (network && network->group.id == id) return network->group;
  return std::nullopt;
}

std::optional<GroupRow> Topology::default_group(const std::string& account, const std::string& region,
                                                const std::string& vpc_id) const {
  const auto prefix = key(account, region, "");
  for (auto it = groups.lower_bound(prefix); it != groups.end() && it->first.starts_with(prefix); ++it) {
    const auto& row = it->second.value;
    if (row.vpc_id == vpc_id && row.name == "default") return row;
  }
  const auto network = unmade_default(account, region);
  if (network && network->vpc.id == vpc_id) return network->group;
  return std::nullopt;
}

std::vector<SubnetRow> Topology::default_subnets(const std::string& account,
                                                 const std::string& region) const {
  if (auto network = unmade_default(account, region)) return std::move(network->subnets);
  std::vector<SubnetRow> found;
  const auto prefix = key(account, region, "");
  for (auto it = subnets.lower_bound(prefix); it != subnets.end() && it->first.starts_with(prefix); ++it) {
    if (it->second.value.default_for_zone) found.push_back(it->second.value);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.zone < b.zone; });
  return found;
}

std::optional<std::string> Topology::collision(const Cidr& block) const {
  if (block.overlaps(configured_)) {
    return fmt::format("{}, which is kept for the default VPC", to_string(configured_));
  }
  for (const auto& [key, row] : vpcs) {
    const auto other = parse_cidr(row.value.cidr);
    if (other && other->overlaps(block)) return fmt::format("{} of {}", row.value.cidr, row.value.id);
  }
  return std::nullopt;
}

const std::set<std::uint32_t>& Topology::taken(const std::string& subnet_id) const {
  static const std::set<std::uint32_t> kNone;
  const auto found = taken_.find(subnet_id);
  return found == taken_.end() ? kNone : found->second;
}

}  // namespace sampan::vpc
