#include "ecr/rows.h"

#include <boost/json.hpp>

#include "core/encoding.h"
#include "core/text.h"

namespace sampan::ecr {
namespace {

namespace json = boost::json;

std::int64_t to_number(core::TimePoint time) {
  return time.time_since_epoch().count();
}
core::TimePoint to_time(const json::value& value) {
  return core::TimePoint(core::Millis(value.to_number<std::int64_t>()));
}

std::vector<std::string> texts_from_json(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  if (const auto* value = object.if_contains(name)) {
    for (const auto& item : value->as_array()) texts.emplace_back(item.as_string());
  }
  return texts;
}

std::string text_from_json(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value ? std::string(value->as_string()) : std::string();
}

}  // namespace
}  // namespace sampan::ecr

namespace sampan::store {
namespace json = boost::json;
using namespace sampan::ecr;  // NOLINT: the codecs are the rows' own words

std::string RowCodec<RepositoryRow>::encode(const RepositoryRow& row) {
  json::object object{{"created", to_number(row.created_at)}, {"mutability", row.mutability}};
  if (!row.exclusion_filters.empty()) object["exclude"] = json::value_from(row.exclusion_filters);
  if (row.scan_on_push) object["scan"] = true;
  object["encryption"] = row.encryption_type;
  if (!row.kms_key.empty()) object["key"] = row.kms_key;
  if (!row.tags.empty()) object["tags"] = json::value_from(row.tags);
  return json::serialize(object);
}

RepositoryRow RowCodec<RepositoryRow>::decode(std::string_view text) {
  const auto value = json::parse(text);
  const auto& object = value.as_object();
  RepositoryRow row;
  row.created_at = to_time(object.at("created"));
  row.mutability = text_from_json(object, "mutability");
  row.exclusion_filters = texts_from_json(object, "exclude");
  row.scan_on_push = object.contains("scan");
  row.encryption_type = text_from_json(object, "encryption");
  row.kms_key = text_from_json(object, "key");
  if (const auto* tags = object.if_contains("tags")) {
    row.tags = json::value_to<std::map<std::string, std::string>>(*tags);
  }
  return row;
}

std::string RowCodec<BlobRow>::encode(const BlobRow& row) {
  return std::to_string(to_number(row.linked_at));
}

BlobRow RowCodec<BlobRow>::decode(std::string_view text) {
  return {core::TimePoint(core::Millis(core::parse_int(text).value_or(0)))};
}

std::string RowCodec<TokenKeyRow>::encode(const TokenKeyRow& row) {
  return core::to_hex(row.key);
}

TokenKeyRow RowCodec<TokenKeyRow>::decode(std::string_view text) {
  return {core::from_hex(text).value_or(std::string())};
}

}  // namespace sampan::store
