// What all handlers share: finding rows, pages, waiting for the data plane.
#include "elb/elb_api.h"

#include <fmt/core.h>

#include <algorithm>

#include "aws/arn.h"
#include "core/encoding.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "elb/names.h"

namespace sampan::elb {

void invalid(const std::string& message) {
  throw aws::Fault("ValidationError", 400, message);
}

std::pair<std::size_t, std::size_t> page_of(std::size_t count, const std::optional<std::string>& marker,
                                            const std::optional<int>& size,
                                            std::optional<std::string>& next) {
  constexpr std::size_t kMost = 400;
  std::size_t begin = 0;
  if (marker && !marker->empty()) {
    const auto text = core::from_base64(*marker);
    const auto start = text ? core::parse_int(*text) : std::nullopt;
    if (!start || *start < 0) invalid(fmt::format("Invalid marker '{}'", *marker));
    begin = std::min(count, static_cast<std::size_t>(*start));
  }
  if (size && (*size < 1 || *size > static_cast<int>(kMost))) invalid("PageSize must be 1 to 400");
  const auto end = std::min(count, begin + (size ? static_cast<std::size_t>(*size) : kMost));
  if (end < count) next = core::to_base64(std::to_string(end));
  return {begin, end};
}

std::string ElbApi::new_arn(const aws::Call& call, const std::string& resource) const {
  return aws::make_arn("elasticloadbalancing", call.region, call.account, resource);
}

namespace {

bool is_mine(const aws::Call& call, const std::string& arn) {
  return arn.starts_with(arn_prefix(call.account, call.region));
}

void require_arn(const std::string& arn, std::string_view kind) {
  if (!aws::Arn::parse(arn)) invalid(fmt::format("'{}' is not a valid {} ARN", arn, kind));
}

}  // namespace

#define SAMPAN_ELB_FIND(name, Row, table, Exception, words)                               \
  Row ElbApi::name(store::Txn& tx, const aws::Call& call, const std::string& arn) const { \
    require_arn(arn, words);                                                              \
    auto row = is_mine(call, arn) ? tx.get(registry_.table, arn) : std::nullopt;          \
    if (!row) throw elbv2::Exception(fmt::format("One or more {}s not found", words));    \
    return *std::move(row);                                                               \
  }
SAMPAN_ELB_FIND(balancer, BalancerRow, balancers, LoadBalancerNotFoundException, "load balancer")
SAMPAN_ELB_FIND(listener, ListenerRow, listeners, ListenerNotFoundException, "listener")
SAMPAN_ELB_FIND(group, GroupRow, groups, TargetGroupNotFoundException, "target group")
SAMPAN_ELB_FIND(rule, RuleRow, rules, RuleNotFoundException, "rule")
#undef SAMPAN_ELB_FIND

#define SAMPAN_ELB_READ(name, Row, table, Exception, words)                            \
  const Row& ElbApi::name(const aws::Call& call, const std::string& arn) const {       \
    require_arn(arn, words);                                                           \
    const auto* row = is_mine(call, arn) ? registry_.table.find(arn) : nullptr;        \
    if (!row) throw elbv2::Exception(fmt::format("One or more {}s not found", words)); \
    return *row;                                                                       \
  }
SAMPAN_ELB_READ(balancer, BalancerRow, balancers, LoadBalancerNotFoundException, "load balancer")
SAMPAN_ELB_READ(listener, ListenerRow, listeners, ListenerNotFoundException, "listener")
SAMPAN_ELB_READ(group, GroupRow, groups, TargetGroupNotFoundException, "target group")
#undef SAMPAN_ELB_READ

boost::asio::awaitable<void> ElbApi::settle() {
  std::string failure;
  try {
    co_await data_plane_.apply();
  } catch (const core::Error& error) {
    failure = error.what();
  }
  if (!failure.empty()) core::log::error("load balancers: {}", failure);
}

}  // namespace sampan::elb
