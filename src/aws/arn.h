// Amazon Resource Names: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sampan::aws {

struct Arn {
  std::string partition = "aws";
  std::string service;
  std::string region;
  std::string account;
  std::string resource;  // "cluster/shop", "repository/a/b", "log-group:/x:*": may hold ':' and '/'

  static std::optional<Arn> parse(std::string_view text);
  std::string str() const;
  bool operator==(const Arn&) const = default;

  // "cluster/shop" -> "cluster" and "shop"; without a separator the type is empty and the id is everything.
  std::string_view resource_type() const;
  std::string_view resource_id() const;
};

// "arn:aws:ecs:us-east-1:000000000000:cluster/shop"
std::string make_arn(std::string_view service, std::string_view region, std::string_view account,
                     std::string_view resource);
// What follows the last '/' of an ARN or of anything else; the whole text without one.
std::string_view last_segment(std::string_view text);

}  // namespace sampan::aws
