// The rows of VPCs as they are stored, and their text form. Keys: "<account>/<region>/<id>", but for
// interfaces
// ("<id>") and addresses ("<subnet>/<address>").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "store/table.h"

namespace sampan::vpc {

struct VpcRow {
  std::string id;
  std::string account;
  std::string region;
  std::string cidr;
  bool is_default = false;
  std::string route_table_id;       // its main one
  std::string internet_gateway_id;  // empty: none
};

struct SubnetRow {
  std::string id;
  std::string account;
  std::string region;
  std::string vpc_id;
  std::string cidr;
  std::string zone;  // us-east-1a
  bool default_for_zone = false;
};

// One permission with one peer: exactly one of cidr4, cidr6, group_id, prefix_list is set.
struct GroupRule {
  std::string id;  // sgr-…
  bool egress = false;
  std::string protocol;  // tcp, udp, icmp, icmpv6, "-1" (all) or a number
  int from_port = -1;
  int to_port = -1;
  std::string cidr4;
  std::string cidr6;
  std::string group_id;
  std::string prefix_list;
  std::string description;
  bool same_permission(const GroupRule& other) const;  // but for id and description
};

struct GroupRow {
  std::string id;
  std::string account;
  std::string region;
  std::string vpc_id;
  std::string name;
  std::string description;
  std::vector<GroupRule> rules;
};

struct InterfaceRow {
  std::string id;
  std::string account;
  std::string region;
  std::string subnet_id;
  std::string vpc_id;
  std::string address;
  std::string mac;
  std::vector<std::string> groups;
  std::string description;
  core::TimePoint created{};
};

struct TagsRow {
  std::string resource_type;  // "vpc", "subnet", …
  std::map<std::string, std::string> tags;
};

// A plain text row: who holds an address, where a subnet's rotation stands, that a default VPC has been made.
struct NoteRow {
  std::string text;
};

}  // namespace sampan::vpc

#define SAMPAN_VPC_ROW(Type)                          \
  template <>                                         \
  struct sampan::store::RowCodec<sampan::vpc::Type> { \
    static std::string encode(const vpc::Type& row);  \
    static vpc::Type decode(std::string_view text);   \
  };
SAMPAN_VPC_ROW(VpcRow)
SAMPAN_VPC_ROW(SubnetRow)
SAMPAN_VPC_ROW(GroupRow)
SAMPAN_VPC_ROW(InterfaceRow)
SAMPAN_VPC_ROW(TagsRow)
SAMPAN_VPC_ROW(NoteRow)
#undef SAMPAN_VPC_ROW
