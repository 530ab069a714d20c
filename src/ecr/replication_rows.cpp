#include "ecr/replication_rows.h"

#include <boost/json.hpp>

#include "core/error.h"

namespace sampan::ecr {
namespace {

RepositoryId parse_repository_key(std::string_view key) {
  const auto first = key.find('/');
  const auto second = key.find('/', first + 1);
  SAMPAN_CHECK(second != std::string_view::npos);
  return {std::string(key.substr(0, first)), std::string(key.substr(first + 1, second - first - 1)),
          std::string(key.substr(second + 1))};
}

}  // namespace

ReplicationKey ReplicationKey::parse(std::string_view text) {
  const auto space = text.rfind(' ');
  const auto slash = text.rfind('/');
  SAMPAN_CHECK(space != std::string_view::npos && slash != std::string_view::npos && slash > space);
  const auto image = text.substr(0, space);
  return {parse_repository_key(image.substr(0, image.rfind('@'))),
          digest_of_key(image),
          {std::string(text.substr(space + 1, slash - space - 1)), std::string(text.substr(slash + 1))}};
}

std::string_view to_text(ReplicationRow::Status status) {
  using Status = ReplicationRow::Status;
  if (status == Status::kComplete) return "COMPLETE";
  return status == Status::kFailed ? "FAILED" : "IN_PROGRESS";
}

}  // namespace sampan::ecr

namespace sampan::store {
namespace json = boost::json;
using sampan::ecr::ReplicationRow;

std::string RowCodec<ReplicationRow>::encode(const ReplicationRow& row) {
  json::object object{{"status", static_cast<int>(row.status)},
                      {"since", row.since.time_since_epoch().count()}};
  if (!row.tags.empty()) object["tags"] = json::value_from(row.tags);
  if (!row.failure_code.empty()) object["code"] = row.failure_code;
  if (!row.failure_reason.empty()) object["reason"] = row.failure_reason;
  return json::serialize(object);
}

ReplicationRow RowCodec<ReplicationRow>::decode(std::string_view text) {
  const auto value = json::parse(text);
  const auto& object = value.as_object();
  ReplicationRow row;
  row.status = static_cast<ReplicationRow::Status>(object.at("status").to_number<int>());
  row.since = core::TimePoint(core::Millis(object.at("since").to_number<std::int64_t>()));
  if (const auto* tags = object.if_contains("tags"))
    row.tags = json::value_to<std::vector<std::string>>(*tags);
  if (const auto* code = object.if_contains("code")) row.failure_code = code->as_string();
  if (const auto* reason = object.if_contains("reason")) row.failure_reason = reason->as_string();
  return row;
}

}  // namespace sampan::store
