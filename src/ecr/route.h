// What a request to the registry is about: its path taken apart. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sampan::ecr {

struct Route {
  enum class Kind { kBase, kCatalog, kTags, kManifest, kBlob, kUploads, kUpload, kReferrers, kToken };
  Kind kind = Kind::kBase;
  std::string repository;  // decoded; not checked
  std::string reference;   // tag or digest, upload id
};

// `raw_path` as sent: "/v2/team/app/manifests/1.0". Nothing when it is no path of the registry's.
// A repository's name may itself hold "manifests" or "blobs": the last such word decides.
std::optional<Route> parse_route(std::string_view raw_path);

}  // namespace sampan::ecr
