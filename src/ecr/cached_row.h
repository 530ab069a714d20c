// What a repository remembers of an image that came through the pull-through cache.
#pragma once

#include <map>
#include <string>

#include "core/clock.h"
#include "store/table.h"

namespace sampan::ecr {

struct CachedRow {
  std::map<std::string, core::TimePoint> tags;  // that came from upstream, and when they were last compared
  bool operator==(const CachedRow&) const = default;
};

}  // namespace sampan::ecr

template <>
struct sampan::store::RowCodec<sampan::ecr::CachedRow> {
  static std::string encode(const ecr::CachedRow& row);
  static ecr::CachedRow decode(std::string_view text);
};
