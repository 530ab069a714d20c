#include "ecr/scan_rows.h"

#include <boost/json.hpp>

namespace sampan::ecr {
namespace {

namespace json = boost::json;

void put_time(json::object& object, std::string_view name, const std::optional<core::TimePoint>& time) {
  if (time) object[name] = time->time_since_epoch().count();
}

std::optional<core::TimePoint> time_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value) return std::nullopt;
  return core::TimePoint(core::Millis(value->to_number<std::int64_t>()));
}

std::string text_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value ? std::string(value->as_string()) : std::string();
}

}  // namespace

std::string report_name(std::string_view image_key, const ScanRow& row) {
  return std::string(image_key) + '#' + std::to_string(row.created_at.time_since_epoch().count());
}

}  // namespace sampan::ecr

namespace sampan::store {
namespace json = boost::json;
using namespace sampan::ecr;  // NOLINT: the codecs are the rows' own words

std::string RowCodec<ScanRulesRow>::encode(const ScanRulesRow& row) {
  json::array rules;
  for (const auto& rule : row.rules) {
    rules.push_back(json::object{{"frequency", rule.frequency}, {"filters", json::value_from(rule.filters)}});
  }
  return json::serialize(json::object{{"enhanced", row.enhanced}, {"rules", std::move(rules)}});
}

ScanRulesRow RowCodec<ScanRulesRow>::decode(std::string_view text) {
  const auto value = json::parse(text);
  ScanRulesRow row;
  row.enhanced = value.at("enhanced").as_bool();
  for (const auto& item : value.at("rules").as_array()) {
    row.rules.push_back({std::string(item.at("frequency").as_string()),
                         json::value_to<std::vector<std::string>>(item.at("filters"))});
  }
  return row;
}

std::string RowCodec<ScanRow>::encode(const ScanRow& row) {
  json::object object;
  if (row.wanted) object["wanted"] = true;
  object["outcome"] = static_cast<int>(row.outcome);
  if (!row.problem.empty()) object["problem"] = row.problem;
  put_time(object, "created", row.created_at);
  put_time(object, "requested", row.requested_at);
  put_time(object, "first", row.first_at);
  put_time(object, "completed", row.completed_at);
  put_time(object, "source", row.source_at);
  if (!row.database.empty()) object["database"] = row.database;
  if (!row.counts.empty()) object["counts"] = json::value_from(row.counts);
  return json::serialize(object);
}

ScanRow RowCodec<ScanRow>::decode(std::string_view text) {
  const auto value = json::parse(text);
  const auto& object = value.as_object();
  ScanRow row;
  row.wanted = object.contains("wanted");
  row.outcome = static_cast<ScanRow::Outcome>(object.at("outcome").to_number<int>());
  row.problem = text_in(object, "problem");
  row.created_at = time_in(object, "created").value_or(core::TimePoint());
  row.requested_at = time_in(object, "requested").value_or(core::TimePoint());
  row.first_at = time_in(object, "first");
  row.completed_at = time_in(object, "completed");
  row.source_at = time_in(object, "source");
  row.database = text_in(object, "database");
  if (const auto* counts = object.if_contains("counts")) {
    row.counts = json::value_to<std::map<std::string, int>>(*counts);
  }
  return row;
}

}  // namespace sampan::store
