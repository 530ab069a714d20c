#include "iam/iam_rows.h"

#include <fmt/core.h>

#include <boost/json.hpp>

#include "core/text.h"

namespace sampan::iam {

const PolicyVersion* ManagedPolicy::find(std::string_view version) const {
  for (const auto& one : versions) {
    if (one.id == version) return &one;
  }
  return nullptr;
}

std::string row_key(std::string_view account, std::string_view name) {
  return fmt::format("{}/{}", account, core::to_lower(name));
}

std::string_view account_of_key(std::string_view key) {
  return key.substr(0, key.find('/'));
}

std::string entity_arn(EntityKind kind, std::string_view account, const Entity& entity) {
  static constexpr std::string_view kTypes[] = {"user", "group", "role"};
  return fmt::format("arn:aws:iam::{}:{}{}{}", account, kTypes[static_cast<std::size_t>(kind)], entity.path,
                     entity.name);
}

std::string policy_arn(std::string_view account, const ManagedPolicy& policy) {
  return fmt::format("arn:aws:iam::{}:policy{}{}", account, policy.path, policy.name);
}

}  // namespace sampan::iam

namespace sampan::store {
namespace {

namespace json = boost::json;

std::int64_t count_of(core::TimePoint time) {
  return time.time_since_epoch().count();
}
core::TimePoint time_of(const json::value& value) {
  return core::TimePoint(core::Millis(value.to_number<std::int64_t>()));
}
std::string text_of(const json::value& row, const char* name) {
  return std::string(row.at(name).as_string());
}
json::object object_of(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}
std::map<std::string, std::string> map_of(const json::value& value) {
  std::map<std::string, std::string> map;
  for (const auto& [key, text] : value.as_object()) map.emplace(key, std::string(text.as_string()));
  return map;
}
std::vector<std::string> list_of(const json::value& value) {
  return json::value_to<std::vector<std::string>>(value);
}

}  // namespace

std::string RowCodec<iam::Entity>::encode(const iam::Entity& row) {
  return json::serialize(json::object{{"name", row.name},
                                      {"path", row.path},
                                      {"id", row.id},
                                      {"created", count_of(row.created)},
                                      {"policies", object_of(row.policies)},
                                      {"attached", json::value_from(row.attached)},
                                      {"tags", object_of(row.tags)},
                                      {"groups", json::value_from(row.groups)},
                                      {"trust", row.trust},
                                      {"description", row.description},
                                      {"longest", row.longest_session}});
}

iam::Entity RowCodec<iam::Entity>::decode(std::string_view text) {
  const auto row = json::parse(text);
  return {.name = text_of(row, "name"),
          .path = text_of(row, "path"),
          .id = text_of(row, "id"),
          .created = time_of(row.at("created")),
          .policies = map_of(row.at("policies")),
          .attached = list_of(row.at("attached")),
          .tags = map_of(row.at("tags")),
          .groups = list_of(row.at("groups")),
          .trust = text_of(row, "trust"),
          .description = text_of(row, "description"),
          .longest_session = row.at("longest").to_number<int>()};
}

std::string RowCodec<iam::ManagedPolicy>::encode(const iam::ManagedPolicy& row) {
  json::array versions;
  for (const auto& version : row.versions) {
    versions.push_back(json::object{
        {"id", version.id}, {"document", version.document}, {"created", count_of(version.created)}});
  }
  return json::serialize(json::object{{"name", row.name},
                                      {"path", row.path},
                                      {"id", row.id},
                                      {"description", row.description},
                                      {"created", count_of(row.created)},
                                      {"updated", count_of(row.updated)},
                                      {"versions", std::move(versions)},
                                      {"default", row.default_version},
                                      {"last", row.last_version},
                                      {"tags", object_of(row.tags)}});
}

iam::ManagedPolicy RowCodec<iam::ManagedPolicy>::decode(std::string_view text) {
  const auto row = json::parse(text);
  iam::ManagedPolicy policy{.name = text_of(row, "name"),
                            .path = text_of(row, "path"),
                            .id = text_of(row, "id"),
                            .description = text_of(row, "description"),
                            .created = time_of(row.at("created")),
                            .updated = time_of(row.at("updated")),
                            .default_version = text_of(row, "default"),
                            .last_version = row.at("last").to_number<int>(),
                            .tags = map_of(row.at("tags"))};
  for (const auto& version : row.at("versions").as_array()) {
    policy.versions.push_back(
        {text_of(version, "id"), text_of(version, "document"), time_of(version.at("created"))});
  }
  return policy;
}

std::string RowCodec<iam::UserKey>::encode(const iam::UserKey& row) {
  return json::serialize(json::object{{"id", row.key.id},
                                      {"secret", row.key.secret},
                                      {"account", row.account},
                                      {"user", row.user},
                                      {"active", row.active},
                                      {"created", count_of(row.created)}});
}

iam::UserKey RowCodec<iam::UserKey>::decode(std::string_view text) {
  const auto row = json::parse(text);
  return {{text_of(row, "id"), text_of(row, "secret")},
          text_of(row, "account"),
          text_of(row, "user"),
          row.at("active").as_bool(),
          time_of(row.at("created"))};
}

}  // namespace sampan::store
