#include "ecr/actions.h"

#include <algorithm>

#include "core/text.h"

namespace sampan::ecr {
namespace {

using Kind = Route::Kind;

struct Needed {
  Kind kind;
  std::string_view method;
  std::string_view action;
};

// As AWS documents them for Docker's clients; what ECR's own registry lacks (deleting by the wire, the state
// of an upload) is asked as the nearest thing that its API has.
constexpr Needed kNeeded[] = {
    {Kind::kCatalog, "GET", "ecr:DescribeRepositories"},
    {Kind::kCatalog, "HEAD", "ecr:DescribeRepositories"},
    {Kind::kTags, "GET", "ecr:ListImages"},
    {Kind::kTags, "HEAD", "ecr:ListImages"},
    {Kind::kReferrers, "GET", "ecr:ListImageReferrers"},
    {Kind::kReferrers, "HEAD", "ecr:ListImageReferrers"},
    {Kind::kManifest, "GET", "ecr:BatchGetImage"},
    {Kind::kManifest, "HEAD", "ecr:BatchGetImage"},
    {Kind::kManifest, "PUT", "ecr:PutImage"},
    {Kind::kManifest, "DELETE", "ecr:BatchDeleteImage"},
    {Kind::kBlob, "GET", "ecr:GetDownloadUrlForLayer"},
    {Kind::kBlob, "HEAD", "ecr:BatchCheckLayerAvailability"},
    {Kind::kBlob, "DELETE", "ecr:BatchDeleteImage"},
    {Kind::kUploads, "POST", "ecr:InitiateLayerUpload"},
    {Kind::kUpload, "PATCH", "ecr:UploadLayerPart"},
    {Kind::kUpload, "PUT", "ecr:CompleteLayerUpload"},
    {Kind::kUpload, "GET", "ecr:UploadLayerPart"},
    {Kind::kUpload, "HEAD", "ecr:UploadLayerPart"},
    {Kind::kUpload, "DELETE", "ecr:UploadLayerPart"},
};

bool has(const Query& query, std::string_view name) {
  return std::ranges::any_of(query, [name](const auto& pair) { return pair.first == name; });
}

}  // namespace

std::vector<ActionOn> actions_of(const Route& route, std::string_view method, const Query& query) {
  std::vector<ActionOn> needed;
  for (const auto& row : kNeeded) {
    if (row.kind == route.kind && row.method == method) needed.push_back({row.action, route.repository});
  }
  // One request that begins, fills and ends an upload.
  if (route.kind == Kind::kUploads && method == "POST" && has(query, "digest")) {
    needed.push_back({"ecr:UploadLayerPart", route.repository});
    needed.push_back({"ecr:CompleteLayerUpload", route.repository});
  }
  return needed;
}

std::string_view allowed_methods(Kind kind) {
  switch (kind) {
    case Kind::kManifest:
      return "GET, HEAD, PUT, DELETE";
    case Kind::kBlob:
      return "GET, HEAD, DELETE";
    case Kind::kUploads:
      return "POST";
    case Kind::kUpload:
      return "GET, HEAD, PATCH, PUT, DELETE";
    case Kind::kToken:
      return "GET, POST";
    default:
      return "GET, HEAD";
  }
}

bool is_allowed(Kind kind, std::string_view method) {
  const auto known = core::split(allowed_methods(kind), ',');
  return std::ranges::any_of(known, [method](const auto& each) { return core::trim(each) == method; });
}

}  // namespace sampan::ecr
