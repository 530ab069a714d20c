#include "secrets/rows.h"

#include <boost/json.hpp>

#include "core/encoding.h"

namespace sampan::store {
namespace {

namespace json = boost::json;
using secrets::SecretRow;
using secrets::ValueRow;
using secrets::VersionRow;

std::int64_t number(core::TimePoint time) {
  return time.time_since_epoch().count();
}

core::TimePoint time_of(const json::value& value) {
  return core::TimePoint(core::Millis(value.to_number<std::int64_t>()));
}

void put_time(json::object& out, const char* name, const std::optional<core::TimePoint>& time) {
  if (time) out[name] = number(*time);
}

void put_text(json::object& out, const char* name, const std::string& text) {
  if (!text.empty()) out[name] = text;
}

std::optional<core::TimePoint> get_time(const json::object& in, const char* name) {
  const auto* found = in.if_contains(name);
  if (!found) return std::nullopt;
  return time_of(*found);
}

std::string get_text(const json::object& in, const char* name) {
  const auto* found = in.if_contains(name);
  return found ? std::string(found->as_string()) : std::string();
}

json::object to_json(const VersionRow& version) {
  json::array stages;
  for (const auto& stage : version.stages) stages.emplace_back(stage);
  json::object out{{"created", number(version.created)}, {"stages", std::move(stages)}};
  put_time(out, "accessed", version.accessed);
  return out;
}

VersionRow version_of(const json::object& in) {
  VersionRow version;
  version.created = time_of(in.at("created"));
  for (const auto& stage : in.at("stages").as_array()) version.stages.emplace(stage.as_string());
  version.accessed = get_time(in, "accessed");
  return version;
}

}  // namespace

std::string RowCodec<SecretRow>::encode(const SecretRow& row) {
  json::object out{{"name", row.name},
                   {"suffix", row.suffix},
                   {"created", number(row.created)},
                   {"changed", number(row.changed)}};
  put_text(out, "description", row.description);
  put_text(out, "kmsKey", row.kms_key);
  put_text(out, "type", row.type);
  put_time(out, "accessed", row.accessed);
  put_time(out, "deleted", row.deleted);
  put_time(out, "goes", row.goes);
  if (!row.tags.empty()) out["tags"] = json::value_from(row.tags);
  json::object versions;
  for (const auto& [id, version] : row.versions) versions[id] = to_json(version);
  out["versions"] = std::move(versions);
  return json::serialize(out);
}

SecretRow RowCodec<SecretRow>::decode(std::string_view text) {
  const auto value = json::parse(json::string_view(text.data(), text.size()));
  const auto& in = value.as_object();
  SecretRow row;
  row.name = get_text(in, "name");
  row.suffix = get_text(in, "suffix");
  row.description = get_text(in, "description");
  row.kms_key = get_text(in, "kmsKey");
  row.type = get_text(in, "type");
  row.created = time_of(in.at("created"));
  row.changed = time_of(in.at("changed"));
  row.accessed = get_time(in, "accessed");
  row.deleted = get_time(in, "deleted");
  row.goes = get_time(in, "goes");
  if (const auto* tags = in.if_contains("tags")) {
    for (const auto& [key, tag] : tags->as_object())
      row.tags[std::string(key)] = std::string(tag.as_string());
  }
  for (const auto& [id, version] : in.at("versions").as_object()) {
    row.versions[std::string(id)] = version_of(version.as_object());
  }
  return row;
}

std::string RowCodec<ValueRow>::encode(const ValueRow& row) {
  return row.key_id + ' ' + core::to_base64(row.sealed);
}

ValueRow RowCodec<ValueRow>::decode(std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) throw core::Error("read a secret's value", "its row is damaged");
  auto sealed = core::from_base64(text.substr(blank + 1));
  if (!sealed) throw core::Error("read a secret's value", "its row is damaged");
  return {std::move(*sealed), std::string(text.substr(0, blank))};
}

}  // namespace sampan::store
