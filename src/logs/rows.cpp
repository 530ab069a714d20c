// How catalog rows are written: JSON, with names that stay what they are.
#include <boost/json.hpp>

#include "logs/catalog.h"

namespace sampan::store {
namespace {

namespace json = boost::json;

std::string text(const json::object& row, std::string_view name) {
  return std::string(row.at(json::string_view(name.data(), name.size())).as_string());
}

json::object parse_row(std::string_view bytes) {
  return json::parse(json::string_view(bytes.data(), bytes.size())).as_object();
}

}  // namespace

std::string RowCodec<logs::GroupRow>::encode(const logs::GroupRow& row) {
  json::object out{{"name", row.name}, {"id", row.id}, {"created", row.created}, {"class", row.group_class}};
  if (row.retention_days) out["retentionDays"] = *row.retention_days;
  if (row.kms_key) out["kmsKey"] = *row.kms_key;
  if (row.deletion_protected) out["deletionProtected"] = true;
  if (!row.tags.empty()) out["tags"] = json::value_from(row.tags);
  return json::serialize(out);
}

logs::GroupRow RowCodec<logs::GroupRow>::decode(std::string_view bytes) {
  const auto in = parse_row(bytes);
  logs::GroupRow row{text(in, "name"),
                     text(in, "id"),
                     in.at("created").as_int64(),
                     {},
                     text(in, "class"),
                     {},
                     in.contains("deletionProtected"),
                     {}};
  if (const auto* days = in.if_contains("retentionDays"))
    row.retention_days = static_cast<int>(days->as_int64());
  if (in.contains("kmsKey")) row.kms_key = text(in, "kmsKey");
  if (const auto* tags = in.if_contains("tags")) {
    for (const auto& [name, value] : tags->as_object()) row.tags[name] = std::string(value.as_string());
  }
  return row;
}

std::string RowCodec<logs::StreamRow>::encode(const logs::StreamRow& row) {
  return json::serialize(json::object{{"name", row.name}, {"id", row.id}, {"created", row.created}});
}

logs::StreamRow RowCodec<logs::StreamRow>::decode(std::string_view bytes) {
  const auto in = parse_row(bytes);
  return {text(in, "name"), text(in, "id"), in.at("created").as_int64()};
}

}  // namespace sampan::store
