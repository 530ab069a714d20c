// How repositories are named, in rows, in ARNs and in URIs. Pure.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "image/reference.h"

namespace sampan::ecr {

struct RepositoryId {
  std::string account;
  std::string region;
  std::string name;  // "team/app"
  auto operator<=>(const RepositoryId&) const = default;

  // "000000000000/us-east-1/team/app": a row's key, and the front of its images' and blobs' keys.
  std::string key() const;
  std::string image_key(const image::Digest& digest) const { return key() + '@' + digest.str(); }
  std::string arn() const;
};

// The digest at the end of an image's or blob's key.
image::Digest digest_of_key(std::string_view key);
// "team/app" of "000000000000/us-east-1/team/app".
std::string_view name_of_key(std::string_view key);
// The repository of an image's or blob's key.
RepositoryId repository_of_key(std::string_view key);
std::optional<RepositoryId> parse_repository_arn(std::string_view arn);

// ECR's rule: 2 to 256 characters of OCI's form.
bool valid_repository_name(std::string_view name);

// "000000000000.dkr.ecr.us-east-1.amazonaws.com", a port allowed: the account and the region.
struct EcrHost {
  std::string account;
  std::string region;
};
std::optional<EcrHost> parse_ecr_host(std::string_view host);

}  // namespace sampan::ecr
