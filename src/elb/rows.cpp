#include "elb/rows.h"

#include <fmt/core.h>

#include <boost/json.hpp>

namespace sampan::elb {

namespace json = boost::json;

std::string target_key(const std::string& group_arn, const std::string& address, int port) {
  return fmt::format("{}|{}|{}", group_arn, address, port);
}

namespace {

json::object map_to_json(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

std::map<std::string, std::string> map_from_json(const json::value& value) {
  std::map<std::string, std::string> map;
  for (const auto& [key, text] : value.as_object()) map.emplace(key, text.as_string());
  return map;
}

// Attributes that this version knows and an older row did not have get their defaults.
Attributes attributes_from_json(AttributeOwner owner, const json::value& value) {
  auto attributes = default_attributes(owner);
  for (auto& [key, text] : map_from_json(value)) attributes[key] = text;
  return attributes;
}

core::TimePoint time_from(const json::value& value) {
  return core::TimePoint(core::Millis(value.as_int64()));
}

json::value parse(std::string_view bytes) {
  return json::parse(json::string_view(bytes));
}

std::string string_of(const json::value& value) {
  return std::string(value.as_string());
}

}  // namespace
}  // namespace sampan::elb

namespace sampan::store {

using namespace sampan::elb;

std::string RowCodec<BalancerRow>::encode(const BalancerRow& row) {
  return json::serialize(
      json::object{{"shape", aws::to_json(row.shape)}, {"attributes", map_to_json(row.attributes)}});
}

BalancerRow RowCodec<BalancerRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  return {aws::from_json<api::elbv2::LoadBalancer>(object.at("shape")),
          attributes_from_json(AttributeOwner::kBalancer, object.at("attributes"))};
}

std::string RowCodec<ListenerRow>::encode(const ListenerRow& row) {
  return json::serialize(json::object{{"shape", aws::to_json(row.shape)},
                                      {"defaultRule", row.default_rule_arn},
                                      {"attributes", map_to_json(row.attributes)}});
}

ListenerRow RowCodec<ListenerRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  return {aws::from_json<api::elbv2::Listener>(object.at("shape")), string_of(object.at("defaultRule")),
          attributes_from_json(AttributeOwner::kListener, object.at("attributes"))};
}

std::string RowCodec<RuleRow>::encode(const RuleRow& row) {
  return json::serialize(json::object{
      {"listener", row.listener_arn}, {"priority", row.priority}, {"shape", aws::to_json(row.shape)}});
}

RuleRow RowCodec<RuleRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  return {string_of(object.at("listener")), static_cast<int>(object.at("priority").as_int64()),
          aws::from_json<api::elbv2::Rule>(object.at("shape"))};
}

std::string RowCodec<GroupRow>::encode(const GroupRow& row) {
  return json::serialize(
      json::object{{"shape", aws::to_json(row.shape)}, {"attributes", map_to_json(row.attributes)}});
}

GroupRow RowCodec<GroupRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  return {aws::from_json<api::elbv2::TargetGroup>(object.at("shape")),
          attributes_from_json(AttributeOwner::kGroup, object.at("attributes"))};
}

std::string RowCodec<TargetRow>::encode(const TargetRow& row) {
  return json::serialize(json::object{{"group", row.group_arn},
                                      {"address", row.address},
                                      {"port", row.port},
                                      {"zone", row.zone},
                                      {"registered", row.registered.time_since_epoch().count()},
                                      {"drainingUntil", row.draining_until.time_since_epoch().count()}});
}

TargetRow RowCodec<TargetRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  return {string_of(object.at("group")),
          string_of(object.at("address")),
          static_cast<int>(object.at("port").as_int64()),
          string_of(object.at("zone")),
          time_from(object.at("registered")),
          time_from(object.at("drainingUntil"))};
}

std::string RowCodec<elb::TagsRow>::encode(const elb::TagsRow& row) {
  return json::serialize(map_to_json(row.tags));
}
elb::TagsRow RowCodec<elb::TagsRow>::decode(std::string_view bytes) {
  return {map_from_json(parse(bytes))};
}

}  // namespace sampan::store
