// The rows of load balancing: AWS's own shapes with what they do not hold beside them. Keys are ARNs; a
// target's is its group's ARN, address and port.
#pragma once

#include <map>
#include <string>

#include "api/elbv2.h"
#include "aws/row_codec.h"
#include "aws/tags.h"
#include "core/clock.h"
#include "elb/attributes.h"

namespace sampan::elb {

struct BalancerRow {
  api::elbv2::LoadBalancer shape;
  Attributes attributes;
};

struct ListenerRow {
  api::elbv2::Listener shape;  // with the default actions
  std::string default_rule_arn;
  Attributes attributes;
};

struct RuleRow {
  std::string listener_arn;
  int priority = 0;
  api::elbv2::Rule shape;  // never the default one
};

struct GroupRow {
  api::elbv2::TargetGroup shape;  // without LoadBalancerArns: those follow from the rules
  Attributes attributes;
};

struct TargetRow {
  std::string group_arn;
  std::string address;
  int port = 0;
  std::string zone;
  core::TimePoint registered{};
  core::TimePoint draining_until{};  // the epoch: not draining
  bool draining() const { return draining_until != core::TimePoint{}; }
};

struct TagsRow {
  aws::Tags tags;
};

std::string target_key(const std::string& group_arn, const std::string& address, int port);

}  // namespace sampan::elb

#define SAMPAN_ELB_ROW(Type)                          \
  template <>                                         \
  struct sampan::store::RowCodec<sampan::elb::Type> { \
    static std::string encode(const elb::Type& row);  \
    static elb::Type decode(std::string_view text);   \
  };
SAMPAN_ELB_ROW(BalancerRow)
SAMPAN_ELB_ROW(ListenerRow)
SAMPAN_ELB_ROW(RuleRow)
SAMPAN_ELB_ROW(GroupRow)
SAMPAN_ELB_ROW(TargetRow)
SAMPAN_ELB_ROW(TagsRow)
#undef SAMPAN_ELB_ROW
