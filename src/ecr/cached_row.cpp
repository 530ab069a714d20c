#include "ecr/cached_row.h"

#include <boost/json.hpp>

namespace sampan::store {
namespace json = boost::json;

std::string RowCodec<ecr::CachedRow>::encode(const ecr::CachedRow& row) {
  json::object tags;
  for (const auto& [tag, time] : row.tags) tags[tag] = time.time_since_epoch().count();
  return json::serialize(json::object{{"tags", std::move(tags)}});
}

ecr::CachedRow RowCodec<ecr::CachedRow>::decode(std::string_view text) {
  const auto value = json::parse(json::string_view(text.data(), text.size()));
  ecr::CachedRow row;
  for (const auto& [tag, time] : value.at("tags").as_object()) {
    row.tags[std::string(tag)] = core::TimePoint(core::Millis(time.to_number<std::int64_t>()));
  }
  return row;
}

}  // namespace sampan::store
