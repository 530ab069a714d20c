#include "vpc/rows.h"

#include <boost/json.hpp>

namespace sampan::vpc {

namespace json = boost::json;

bool GroupRule::same_permission(const GroupRule& other) const {
  return egress == other.egress && protocol == other.protocol && from_port == other.from_port &&
         to_port == other.to_port && cidr4 == other.cidr4 && cidr6 == other.cidr6 &&
         group_id == other.group_id && prefix_list == other.prefix_list;
}

namespace {

std::string text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? std::string(value->as_string()) : std::string();
}

bool flag(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->as_bool();
}

json::object rule_to_json(const GroupRule& rule) {
  json::object object{{"id", rule.id},
                      {"egress", rule.egress},
                      {"protocol", rule.protocol},
                      {"from", rule.from_port},
                      {"to", rule.to_port}};
  if (!rule.cidr4.empty()) object["cidr4"] = rule.cidr4;
  if (!rule.cidr6.empty()) object["cidr6"] = rule.cidr6;
  if (!rule.group_id.empty()) object["group"] = rule.group_id;
  if (!rule.prefix_list.empty()) object["prefixList"] = rule.prefix_list;
  if (!rule.description.empty()) object["description"] = rule.description;
  return object;
}

GroupRule rule_from_json(const json::object& object) {
  GroupRule rule;
  rule.id = text(object, "id");
  rule.egress = flag(object, "egress");
  rule.protocol = text(object, "protocol");
  rule.from_port = static_cast<int>(object.at("from").as_int64());
  rule.to_port = static_cast<int>(object.at("to").as_int64());
  rule.cidr4 = text(object, "cidr4");
  rule.cidr6 = text(object, "cidr6");
  rule.group_id = text(object, "group");
  rule.prefix_list = text(object, "prefixList");
  rule.description = text(object, "description");
  return rule;
}

json::object parse(std::string_view bytes) {
  return json::parse(json::string_view(bytes)).as_object();
}

}  // namespace
}  // namespace sampan::vpc

namespace sampan::store {

using namespace sampan::vpc;

std::string RowCodec<VpcRow>::encode(const VpcRow& row) {
  return json::serialize(json::object{{"id", row.id},
                                      {"account", row.account},
                                      {"region", row.region},
                                      {"cidr", row.cidr},
                                      {"default", row.is_default},
                                      {"routeTable", row.route_table_id},
                                      {"internetGateway", row.internet_gateway_id}});
}

VpcRow RowCodec<VpcRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  return {text(object, "id"),
          text(object, "account"),
          text(object, "region"),
          text(object, "cidr"),
          flag(object, "default"),
          text(object, "routeTable"),
          text(object, "internetGateway")};
}

std::string RowCodec<SubnetRow>::encode(const SubnetRow& row) {
  return json::serialize(json::object{{"id", row.id},
                                      {"account", row.account},
                                      {"region", row.region},
                                      {"vpc", row.vpc_id},
                                      {"cidr", row.cidr},
                                      {"zone", row.zone},
                                      {"default", row.default_for_zone}});
}

SubnetRow RowCodec<SubnetRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  return {text(object, "id"),   text(object, "account"), text(object, "region"), text(object, "vpc"),
          text(object, "cidr"), text(object, "zone"),    flag(object, "default")};
}

std::string RowCodec<GroupRow>::encode(const GroupRow& row) {
  json::array rules;
  for (const auto& rule : row.rules) rules.push_back(rule_to_json(rule));
  return json::serialize(json::object{{"id", row.id},
                                      {"account", row.account},
                                      {"region", row.region},
                                      {"vpc", row.vpc_id},
                                      {"name", row.name},
                                      {"description", row.description},
                                      {"rules", std::move(rules)}});
}

GroupRow RowCodec<GroupRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  GroupRow row{text(object, "id"),  text(object, "account"), text(object, "region"),
               text(object, "vpc"), text(object, "name"),    text(object, "description")};
  for (const auto& rule : object.at("rules").as_array())
    row.rules.push_back(rule_from_json(rule.as_object()));
  return row;
}

std::string RowCodec<InterfaceRow>::encode(const InterfaceRow& row) {
  return json::serialize(json::object{{"id", row.id},
                                      {"account", row.account},
                                      {"region", row.region},
                                      {"subnet", row.subnet_id},
                                      {"vpc", row.vpc_id},
                                      {"address", row.address},
                                      {"mac", row.mac},
                                      {"groups", json::array(row.groups.begin(), row.groups.end())},
                                      {"description", row.description},
                                      {"created", row.created.time_since_epoch().count()}});
}

InterfaceRow RowCodec<InterfaceRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  InterfaceRow row{text(object, "id"),     text(object, "account"), text(object, "region"),
                   text(object, "subnet"), text(object, "vpc"),     text(object, "address"),
                   text(object, "mac")};
  for (const auto& group : object.at("groups").as_array()) row.groups.emplace_back(group.as_string());
  row.description = text(object, "description");
  row.created = core::TimePoint(core::Millis(object.at("created").as_int64()));
  return row;
}

std::string RowCodec<TagsRow>::encode(const TagsRow& row) {
  json::object tags;
  for (const auto& [key, value] : row.tags) tags[key] = value;
  return json::serialize(json::object{{"type", row.resource_type}, {"tags", std::move(tags)}});
}

TagsRow RowCodec<TagsRow>::decode(std::string_view bytes) {
  const auto object = parse(bytes);
  TagsRow row{text(object, "type"), {}};
  for (const auto& [key, value] : object.at("tags").as_object()) row.tags[key] = value.as_string();
  return row;
}

std::string RowCodec<NoteRow>::encode(const NoteRow& row) {
  return row.text;
}
NoteRow RowCodec<NoteRow>::decode(std::string_view bytes) {
  return {std::string(bytes)};
}

}  // namespace sampan::store
