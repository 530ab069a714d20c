// Which of ECR's actions a request to the registry needs, and on which repository: what IAM policies,
// repository policies and token scopes are asked about. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ecr/route.h"

namespace sampan::ecr {

struct ActionOn {
  std::string_view action;  // "ecr:BatchGetImage"
  std::string repository;   // its name; empty: the registry itself
  bool operator==(const ActionOn&) const = default;
};

using Query = std::vector<std::pair<std::string, std::string>>;  // decoded, in order

// All must be allowed. Empty for what needs no more than a login (GET /v2/) and for methods that a path does
// not know, which are refused whoever asks.
std::vector<ActionOn> actions_of(const Route& route, std::string_view method, const Query& query);

// A mount is an upload that saves the bytes: who may not read the source is not refused but told to send them
// (202). So it is asked apart from actions_of(). `repository` empty: any repository that has the blob.
inline constexpr std::string_view kMountAction = "ecr:GetDownloadUrlForLayer";

// "GET, HEAD": the methods that a path of this kind knows, as the Allow header has them.
std::string_view allowed_methods(Route::Kind kind);
bool is_allowed(Route::Kind kind, std::string_view method);

}  // namespace sampan::ecr
