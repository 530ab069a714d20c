#include "ecr/route.h"

#include <vector>

#include "core/encoding.h"
#include "core/text.h"

namespace sampan::ecr {
namespace {

std::optional<Route> with_repository(Route::Kind kind, const std::vector<std::string>& parts,
                                     std::size_t tail) {
  if (parts.size() <= tail) return std::nullopt;
  Route route{kind, {}, parts.back()};
  for (std::size_t i = 0; i + tail < parts.size(); ++i) {
    if (parts[i].empty()) return std::nullopt;
    route.repository += i == 0 ? parts[i] : '/' + parts[i];
  }
  return route;
}

}  // namespace

std::optional<Route> parse_route(std::string_view raw_path) {
  if (raw_path == "/v2" || raw_path == "/v2/") return Route{};
  constexpr std::string_view kRoot = "/v2/";
  if (!raw_path.starts_with(kRoot)) return std::nullopt;
  const auto path = core::percent_decode(raw_path.substr(kRoot.size()));
  if (!path) return std::nullopt;
  if (*path == "_catalog") return Route{Route::Kind::kCatalog, {}, {}};
  if (*path == "token") return Route{Route::Kind::kToken, {}, {}};
  const auto parts = core::split(*path, '/');
  const auto from_end = [&parts](std::size_t i) {
    return i < parts.size() ? std::string_view(parts[parts.size() - 1 - i]) : std::string_view();
  };
  if (from_end(1) == "tags" && from_end(0) == "list") return with_repository(Route::Kind::kTags, parts, 2);
  if (from_end(2) == "blobs" && from_end(1) == "uploads") {
    return with_repository(from_end(0).empty() ? Route::Kind::kUploads : Route::Kind::kUpload, parts, 3);
  }
  // Without the slash that the specification has; some clients leave it out.
  if (from_end(1) == "blobs" && from_end(0) == "uploads")
    return with_repository(Route::Kind::kUploads, parts, 2);
  if (from_end(0).empty()) return std::nullopt;
  if (from_end(1) == "manifests") return with_repository(Route::Kind::kManifest, parts, 2);
  if (from_end(1) == "blobs") return with_repository(Route::Kind::kBlob, parts, 2);
  if (from_end(1) == "referrers") return with_repository(Route::Kind::kReferrers, parts, 2);
  return std::nullopt;
}

}  // namespace sampan::ecr
